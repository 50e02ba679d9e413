"""SentencePiece Unigram vocabularies as `tokenizers` files, so that serving needs no sentencepiece."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

# Noncharacters and private-use planes never reach a user's text on purpose; kept characters wait here.
_PARKING = 0x10FF00


@dataclass(frozen=True, slots=True)
class UnigramVocabulary:
    """A SentencePiece Unigram model.

    Attributes:
        pieces: the surface of each id.
        scores: the log-probability of each id.
        unk: id of the unknown piece.
        bos: id put before a text.
        eos: id put after a text.
        special: ids that are never text.
        kept: characters that this model's normalizer leaves alone although NFKC or Nmt would change them.
    """

    pieces: Sequence[str]
    scores: Sequence[float]
    unk: int
    bos: int
    eos: int
    special: Sequence[int]
    kept: str


def build_tokenizer(vocabulary: UnigramVocabulary) -> Tokenizer:
    """A tokenizer that segments as SentencePiece does under its `nmt_nfkc` rules.

    Nmt followed by NFKC equals the `nmt_nfkc` table at every code point except `kept` and the C0/C1 controls,
    which are dropped here. As in SentencePiece, a run of unknown characters is one unknown token.
    """
    pieces, kept = vocabulary.pieces, vocabulary.kept
    parked = [(character, chr(_PARKING + i)) for i, character in enumerate(kept)]
    tokenizer = Tokenizer(
        models.Unigram(
            list(zip(pieces, map(float, vocabulary.scores), strict=True)),
            unk_id=vocabulary.unk,
            byte_fallback=False,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            *(normalizers.Replace(character, place) for character, place in parked),
            normalizers.Nmt(),
            normalizers.NFKC(),
            *(normalizers.Replace(place, character) for character, place in parked),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{pieces[vocabulary.bos]} $A {pieces[vocabulary.eos]}",
        special_tokens=[(pieces[i], i) for i in (vocabulary.bos, vocabulary.eos)],
    )
    tokenizer.add_special_tokens([AddedToken(pieces[i], normalized=False) for i in vocabulary.special])
    return tokenizer
