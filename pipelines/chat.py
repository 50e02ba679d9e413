"""A language model behind any OpenAI-compatible endpoint: messages in, JSON out, tokens counted."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

_MOST_BYTES: Final = 4 * 2**20


class ChatFailed(Exception):
    """The model could not be reached, or did not answer in the shape of the protocol. Says why, never what was sent."""


@dataclass(slots=True)
class Usage:
    """What a model was asked and what it cost.

    Attributes:
        requests: sent, retries included.
        prompt, completion: tokens, as the endpoint counts them; 0 where it does not.
        rejected: answers and parts of answers that were not accepted.
    """

    requests: int = 0
    prompt: int = 0
    completion: int = 0
    rejected: int = 0


class Chat(Protocol):
    """One exchange with a model."""

    def ask(self, messages: Sequence[dict[str, str]], *, schema: dict[str, Any], usage: Usage) -> str:
        """The text of its answer. Raises: ChatFailed."""
        ...


@dataclass(frozen=True, slots=True)
class HttpChat:
    """`POST {base_url}/chat/completions`, as OpenAI, vLLM, llama.cpp and others answer it.

    Attributes:
        base_url: up to and with "/v1".
        api_key: sent as a bearer token; None sends none.
        timeout_s: for one request.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0

    def ask(self, messages: Sequence[dict[str, str]], *, schema: dict[str, Any], usage: Usage) -> str:
        """The text of its answer; deterministic as far as the model is. Raises: ChatFailed."""
        body = {
            "model": self.model,
            "messages": list(messages),
            "temperature": 0,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        }
        usage.requests += 1
        try:
            with urllib.request.urlopen(self._request(body), timeout=self.timeout_s) as response:
                content = json.loads(response.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            error.close()
            raise ChatFailed(f"the language model's endpoint answers {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ChatFailed(f"the language model cannot be reached: {type(error).__name__}") from None
        return _read(content, usage)

    def _request(self, body: dict[str, Any]) -> urllib.request.Request:
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        if not url.startswith(("http://", "https://")):
            raise ChatFailed("the language model's address is neither http nor https")
        headers = {"Content-Type": "application/json"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return urllib.request.Request(url, json.dumps(body).encode(), headers)


def _read(content: Any, usage: Usage) -> str:  # noqa: ANN401 - whatever an endpoint sends
    try:
        text = content["choices"][0]["message"]["content"]
        counted = content.get("usage") or {}
        usage.prompt += int(counted.get("prompt_tokens") or 0)
        usage.completion += int(counted.get("completion_tokens") or 0)
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
        raise ChatFailed("the language model's endpoint answers in another shape than OpenAI's") from None
    if not isinstance(text, str):
        raise ChatFailed("the language model answers without text")
    return text
