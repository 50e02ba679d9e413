"""Who is let in where: keys, scopes, rates, tenants, networks, tokens of a gateway."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pipelines import registry
from pipelines.build import build
from pipelines.terminology import Terminology
from service.access import RULES, Networks, rule_of
from service.app import create_app
from service.keys import Scope
from service.settings import Settings, SettingsInvalid

NORMALIZE = "/v1/job-titles/normalize"
COOK = {"items": [{"title": "cook"}]}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(serve, tmp_path):
    """A service that asks for keys, and a function that makes them."""

    def start(**settings):
        served = serve(require_keys=True, data=tmp_path, **settings)

        def key(*scopes: Scope, **options) -> dict[str, str]:
            return bearer(served.services.keys.create(name="x", scopes=scopes, **options)[1])

        return served, key

    return start


# -- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/healthz", None),
        ("GET", "/metrics", None),
        ("GET", "/openapi.json", None),
        ("GET", "/docs/swagger-ui.css", None),
        ("GET", "/console", None),
        ("GET", "/v1/pipelines", Scope.READ),
        ("HEAD", "/v1/pipelines", Scope.READ),
        ("POST", NORMALIZE, Scope.READ),
        ("POST", "/v1/medical/link", Scope.READ),
        ("POST", "/v1/datasheets/extract", Scope.READ),
        ("POST", "/v1/datasheets/spice", Scope.READ),
        ("POST", "/v1/retrieval/papers/search", Scope.READ),
        ("POST", "/v1/embeddings", Scope.READ),
        ("POST", "/v1/rerank", Scope.READ),
        ("GET", "/v1/job-titles/feedback", Scope.READ),
        ("POST", "/v1/job-titles/feedback", Scope.WRITE),
        ("DELETE", "/v1/job-titles/feedback/1", Scope.WRITE),
        ("POST", "/v1/files", Scope.WRITE),
        ("GET", "/v1/files/1/content", Scope.WRITE),
        ("DELETE", "/v1/files/1", Scope.ADMIN),
        ("POST", "/v1/jobs", Scope.WRITE),
        ("GET", "/v1/jobs/1/events", Scope.WRITE),
        ("POST", "/v1/jobs/1/cancel", Scope.WRITE),
        ("GET", "/v1/keys", Scope.ADMIN),
        ("GET", "/v1/keys/self", Scope.READ),
        ("DELETE", "/v1/keys/self", Scope.ADMIN),
        ("GET", "/v1/generations", Scope.ADMIN),
        ("POST", "/v1/generations/rollback", Scope.ADMIN),
        ("POST", "/v1/keys/1/rotate", Scope.ADMIN),
        ("DELETE", "/v1/retrieval/papers", Scope.ADMIN),
        # What nobody thought of is closed.
        ("POST", "/v1/what/is/this", Scope.WRITE),
        ("PUT", "/v1/pipelines", Scope.WRITE),
        ("BREW", "/v1/pipelines", Scope.WRITE),
        ("POST", "/healthz/../v1/files", Scope.WRITE),
        ("POST", "/docs", Scope.WRITE),
        ("POST", "/v1/job-titles/normalize\n", Scope.WRITE),
        ("GET", "/v1/keys\n/x", Scope.READ),
    ],
)
def test_each_path_needs_its_scope(method, path, scope):
    assert rule_of(method, path).scope is scope


def test_every_route_below_v1_needs_a_key():
    app = create_app(Settings())
    paths = [(method, path) for path, item in app.openapi()["paths"].items() for method in item]
    assert len(paths) > 15
    for method, path in paths:
        rule = rule_of(method.upper(), path)
        assert rule.scope is not None or rule.probe, (method, path)
        assert method == "get" or not rule.probe


def test_nothing_but_a_get_is_open():
    assert all(rule.scope or rule.probe or rule.methods == {"GET", "HEAD"} for rule in RULES)


# -- keys ------------------------------------------------------------------------------------------


def test_without_a_key_it_is_401_before_the_body_is_read(guarded, assert_problem):
    served, _ = guarded()
    read = 0

    async def body():
        nonlocal read
        read += 1
        yield b"{}"

    async def ask():
        scope = {
            "type": "http", "method": "POST", "path": NORMALIZE, "raw_path": b"", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json")], "scheme": "http", "http_version": "1.1",
            "client": ("127.0.0.1", 1),
        }  # fmt: skip
        sent = []

        async def receive():
            raise AssertionError("read")

        async def send(message):
            sent.append(message)

        await served.app(scope, receive, send)
        return sent[0]["status"]

    assert served.run(ask()) == 401
    response = served.post(NORMALIZE, COOK)
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="cognomen"'


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer wrong", "Bearer cgn_x", "bearer \u00e9", "Bearer a b", "x" * 9000],
)
def test_what_is_no_key_is_401(guarded, assert_problem, header):
    served, _ = guarded()
    response = served.get("/v1/pipelines", headers={"authorization": header.encode("latin-1")})
    assert_problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer ")


def test_a_key_opens_what_its_scope_says(guarded, assert_problem):
    served, key = guarded()
    reader, writer, admin = key(Scope.READ), key(Scope.WRITE), key(Scope.ADMIN)
    said = {"items": [{"title": "spud chef", "concept_id": "T:5120", "verdict": "accept"}]}
    assert [served.post(NORMALIZE, COOK, headers=k).status_code for k in (reader, writer, admin)] == [200] * 3
    refused = served.post("/v1/job-titles/feedback", said, headers=reader)
    assert_problem(refused, 403, "forbidden")
    assert 'error="insufficient_scope", scope="write"' in refused.headers["www-authenticate"]
    assert [served.post("/v1/job-titles/feedback", said, headers=k).status_code for k in (writer, admin)] == [200] * 2
    assert [served.get("/v1/keys", headers=k).status_code for k in (reader, writer, admin)] == [403, 403, 200]


def test_two_authorization_headers_are_none(guarded, assert_problem):
    served, key = guarded()
    one = key(Scope.READ)["authorization"]
    response = served.get("/v1/pipelines", headers=[("authorization", one), ("authorization", one)])
    assert_problem(response, 401)


def test_probes_are_open_to_their_networks_only(guarded, assert_problem):
    served, key = guarded(probes_from="10.0.0.0/8")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert_problem(served.get(path), 401)
        assert served.get(path, headers=key(Scope.READ)).status_code == 200
    served, _ = guarded()
    assert [served.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3


def test_networks_hold_addresses():
    networks = Networks("10.0.0.0/8, ::1/128")
    assert networks.holds(("10.1.2.3", 1))
    assert networks.holds(("::ffff:10.1.2.3", 1))
    assert networks.holds(("::1", 1))
    assert networks.holds(None)
    assert not networks.holds(("11.1.2.3", 1))
    assert not networks.holds(("somewhere", 1))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"probes_from": "here"}, "COGNOMEN_PROBES_FROM"),
        ({"rate_limit": "often"}, "COGNOMEN_RATE_LIMIT"),
        ({"rate_limit": "0/second"}, "COGNOMEN_RATE_LIMIT"),
        ({"rate_limit": "1/second; 5/minute"}, "COGNOMEN_RATE_LIMIT"),
        ({"jwt_key_file": "/nowhere"}, "COGNOMEN_JWT_KEY_FILE"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(settings, says):
    with pytest.raises(SettingsInvalid, match=says):
        create_app(Settings(**settings))


def test_where_no_key_is_needed_any_authorization_passes(served):
    assert served.get("/v1/pipelines", headers=bearer("sk-whatever-openai-s-client-sends")).status_code == 200


def test_where_no_key_is_needed_another_sites_page_changes_nothing(served, assert_problem):
    said = {"items": [{"title": "spud chef", "concept_id": "T:5120", "verdict": "accept"}]}
    for origin in ("https://evil.example", "null", "http://test.evil.example"):
        assert_problem(served.post("/v1/job-titles/feedback", said, headers={"origin": origin}), 403)
    assert served.post("/v1/job-titles/feedback", said, headers={"origin": "http://test"}).status_code == 200
    assert served.get("/v1/pipelines", headers={"origin": "https://evil.example"}).status_code == 200


def test_who_was_let_in_stands_in_the_log_and_no_key_does(guarded, logged):
    served, key = guarded()
    reader = key(Scope.READ)
    served.get("/v1/pipelines", headers=reader)
    served.get("/v1/keys", headers=reader)
    served.get("/v1/pipelines")
    answered = [line for line in logged.lines() if line["event"] == "answered"]
    assert [line.get("key_id") for line in answered] == [served.services.keys.all()[0].id] * 2 + [None]
    refused = [line for line in logged.lines() if line["event"] == "audit"]
    assert [line["reason"] for line in refused] == ["scope", "unauthenticated"]
    assert reader["authorization"].split()[1] not in logged.getvalue()
    assert reader["authorization"].split()[1].split("_", 2)[2] not in logged.getvalue()


# -- rates -----------------------------------------------------------------------------------------


def test_a_key_over_its_rate_is_429_and_others_are_not(guarded, assert_problem):
    served, key = guarded(rate_limit="3/minute")
    eager, calm, rich = key(Scope.READ), key(Scope.READ), key(Scope.READ, rate="1000/minute")
    assert [served.get("/v1/pipelines", headers=eager).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = served.get("/v1/pipelines", headers=eager)
    assert_problem(refused, 429, "rate-limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert served.get("/v1/pipelines", headers=calm).status_code == 200
    assert [served.get("/v1/pipelines", headers=rich).status_code for _ in range(10)] == [200] * 10
    assert served.get("/readyz").status_code == 200
    assert 'cognomen_refused_total{reason="rate-limited"} 2.0' in served.get("/metrics").text


# -- the keys' own routes --------------------------------------------------------------------------


def test_an_admin_makes_rotates_and_revokes_keys(guarded, assert_problem, logged):
    served, key = guarded()
    admin = key(Scope.ADMIN)
    made = served.post("/v1/keys", {"name": "gateway", "scopes": ["write", "read"], "rate": "5/second"}, headers=admin)
    assert made.status_code == 201
    body = made.json()
    assert body["scopes"] == ["read", "write"]
    assert served.get("/v1/pipelines", headers=bearer(body["key"])).status_code == 200
    listed = served.get("/v1/keys", headers=admin)
    assert [k["name"] for k in listed.json()["keys"]] == ["x", "gateway"]
    assert body["key"] not in listed.text
    rotated = served.post(f"/v1/keys/{body['id']}/rotate", {}, headers=admin).json()["key"]
    assert served.get("/v1/pipelines", headers=bearer(body["key"])).status_code == 401
    assert served.get("/v1/pipelines", headers=bearer(rotated)).status_code == 200
    assert served.delete(f"/v1/keys/{body['id']}", headers=admin).status_code == 204
    assert served.get("/v1/pipelines", headers=bearer(rotated)).status_code == 401
    assert_problem(served.delete(f"/v1/keys/{body['id']}", headers=admin), 404, "key-unknown")
    done = [line["action"] for line in logged.lines() if line["event"] == "audit" and "subject_key_id" in line]
    assert done == ["key created", "key rotated", "key revoked"]


def test_a_key_cannot_revoke_itself(guarded, assert_problem):
    served, key = guarded()
    admin = key(Scope.ADMIN)
    own = served.get("/v1/keys", headers=admin).json()["keys"][0]["id"]
    assert_problem(served.delete(f"/v1/keys/{own}", headers=admin), 403)


def test_a_key_says_what_it_is_good_for(guarded, assert_problem, served):
    mine, key = guarded()
    told = mine.get("/v1/keys/self", headers=key(Scope.WRITE, prefixes=["acme-"], rate="9/second")).json()
    assert told.pop("id") == mine.services.keys.all()[0].id
    assert told == {
        "required": True,
        "name": "x",
        "scopes": ["read", "write"],
        "prefixes": ["acme-"],
        "rate": "9/second",
    }
    assert_problem(mine.get("/v1/keys/self"), 401)
    open_to_all = served.get("/v1/keys/self").json()
    assert (open_to_all["required"], open_to_all["scopes"]) == (False, ["read", "write", "admin"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "scopes": ["read"], "prefixes": [""]},
        {"name": "x", "scopes": ["read"], "rate": "often"},
    ],
)
def test_a_key_asked_for_wrongly_is_422(guarded, assert_problem, body):
    served, key = guarded()
    assert_problem(served.post("/v1/keys", body, headers=key(Scope.ADMIN)), 422)


def test_a_bound_admin_stays_within_its_prefixes(guarded, assert_problem):
    served, key = guarded()
    key(Scope.READ)
    bound = key(Scope.ADMIN, prefixes=["acme-"])
    foreign = served.services.keys.all()[0].id
    assert [k["prefixes"] for k in served.get("/v1/keys", headers=bound).json()["keys"]] == [["acme-"]]
    assert_problem(served.delete(f"/v1/keys/{foreign}", headers=bound), 404, "key-unknown")
    assert_problem(served.post(f"/v1/keys/{foreign}/rotate", {}, headers=bound), 404, "key-unknown")
    wide = {"name": "x", "scopes": ["admin"]}
    assert_problem(served.post("/v1/keys", wide, headers=bound), 422)
    assert_problem(served.post("/v1/keys", wide | {"prefixes": ["acme-a", "b"]}, headers=bound), 422)
    assert served.post("/v1/keys", wide | {"prefixes": ["acme-a"]}, headers=bound).status_code == 201


# -- tenants ---------------------------------------------------------------------------------------


@pytest.fixture
def tenants(serve_from, store, encoder, terminology, tmp_path):
    spec = registry.spec("job-titles")
    for name in ("acme-jobs", "bolt-jobs"):
        named = Terminology(name, version="1", concepts=terminology.concepts)
        build(spec, named, encoder=encoder, store=store, config=spec.config(encoder="hashing"))
    served = serve_from(store, require_keys=True, data=tmp_path / "data")
    keys = served.services.keys
    tokens = [keys.create(name=p, scopes=[Scope.WRITE], prefixes=[p])[1] for p in ("acme-", "bolt-", "nobody-")]
    return served, *map(bearer, tokens)


def test_a_tenant_sees_its_own_names_and_others_are_404(tenants, assert_problem):
    served, acme, bolt, nobody = tenants

    def names(key):
        return [t["name"] for t in served.get("/v1/terminologies", headers=key).json()["terminologies"]]

    assert (names(acme), names(bolt), names(nobody)) == (["acme-jobs"], ["bolt-jobs"], [])
    for path in ("/v1/terminologies/acme-jobs", "/v1/terminologies/acme-jobs/concepts/T:5120"):
        assert served.get(path, headers=acme).status_code == 200
        hidden = assert_problem(served.get(path, headers=bolt), 404)
        never = assert_problem(served.get(path.replace("acme-jobs", "acme-gone"), headers=bolt), 404)
        assert {k: hidden[k] for k in ("type", "title", "detail")} == {k: never[k] for k in ("type", "title", "detail")}
    assert served.get("/v1/pipelines", headers=nobody).json() == {"pipelines": []}
    assert_problem(served.get("/v1/pipelines/job-titles", headers=nobody), 404)


def test_a_tenants_requests_answer_from_its_own_terminology(tenants, assert_problem):
    served, acme, bolt, nobody = tenants
    assert served.post(NORMALIZE, COOK, headers=acme).json()["terminology"]["name"] == "acme-jobs"
    assert served.post(NORMALIZE, COOK, headers=bolt).json()["terminology"]["name"] == "bolt-jobs"
    assert_problem(served.post(NORMALIZE, COOK | {"terminology": "acme-jobs"}, headers=bolt), 404)
    assert_problem(served.post(NORMALIZE, COOK, headers=nobody), 404)
    said = {"items": [{"title": "spud chef", "concept_id": "T:5120", "verdict": "accept"}], "terminology": "acme-jobs"}
    assert_problem(served.post("/v1/job-titles/feedback", said, headers=bolt), 404)
    assert served.post("/v1/job-titles/feedback", said, headers=acme).status_code == 200


# -- tokens of a gateway ---------------------------------------------------------------------------


@pytest.fixture
def gateway(guarded, tmp_path):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "gateway.pem").write_bytes(public)
    served, _ = guarded(jwt_key_file=tmp_path / "gateway.pem", jwt_algorithm="ES256", jwt_issuer="gw")
    claims = {"sub": "alice", "aud": "cognomen", "iss": "gw", "exp": time.time() + 600, "scope": "read other"}
    return served, private, public, claims


def test_a_gateways_token_opens_what_it_says(gateway):
    served, private, _, claims = gateway

    def status(**changed):
        token = jwt.encode(claims | changed, private, algorithm="ES256")
        return served.get("/v1/pipelines", headers=bearer(token)).status_code

    assert status() == 200
    assert status(scope="") == 403
    assert status(scope="admin") == 200
    assert served.get("/v1/keys", headers=bearer(jwt.encode(claims, private, algorithm="ES256"))).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1},
        {"aud": "other"},
        {"iss": "other"},
        {"exp": None},
        {"sub": None},
        {"scope": 7},
        {"prefixes": "acme-"},
        {"prefixes": [""]},
        {"nbf": 9e12},
    ],
)
def test_a_token_that_claims_wrongly_is_401(gateway, assert_problem, changed):
    served, private, _, claims = gateway
    token = jwt.encode({k: v for k, v in (claims | changed).items() if v is not None}, private, algorithm="ES256")
    assert_problem(served.get("/v1/pipelines", headers=bearer(token)), 401)


def test_a_token_never_chooses_its_own_algorithm(gateway, assert_problem):
    served, _, _, claims = gateway
    for token in (
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, "a shared secret of thirty-two bytes", algorithm="HS256"),
        jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"),
    ):
        assert_problem(served.get("/v1/pipelines", headers=bearer(token)), 401)


def test_a_tokens_prefixes_bind_it(gateway):
    served, private, _, claims = gateway
    token = jwt.encode(claims | {"prefixes": ["acme-"]}, private, algorithm="ES256")
    assert served.get("/v1/terminologies", headers=bearer(token)).json() == {"terminologies": []}
