"""Clients with other options over the same connections; headers, proxies, certificates; checks."""

from __future__ import annotations

import gc
import pickle
import ssl
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from both_clients import ClientFactory
from hubspot_batch import (
    BatchResult,
    ConfigurationError,
    HubSpotBatch,
    InputError,
    Journal,
    OutcomeStatus,
    RateLimit,
    Retry,
)
from hubspot_batch._transport.environment import route_to
from hubspot_batch.options import ClientOptions
from hubspot_batch.sandbox import Sandbox, SandboxTransport, live_sandbox, script, served
from leak_watch import SECRET

ROW = {"properties": {"hs_timestamp": "2026-01-31T09:30:00Z", "hs_call_title": "Call"}}
ROWS: list[Any] = [ROW] * 3


class Headers(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Notes the headers and time-outs of requests, and passes them to a sandbox."""

    connectionless = True

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = SandboxTransport(sandbox)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self._inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self._inner.handle_async_request(request)


# ---------------------------------------------------------------- with_options


def test_each_option_holds_for_the_derived_client_only(make_client: ClientFactory) -> None:
    """Also for its `raw`; other options stay."""
    transport = Headers(Sandbox())
    client = make_client(transport=transport, timeout=5, headers={"X-Team": "a"})
    derived = client.with_options(
        timeout=None, retry=Retry(1), max_concurrency=2, headers={"X-Job": "b"}
    )
    derived.calls.create(ROWS)
    make_client.request(derived, "POST", "/crm/v3/objects/calls/batch/create", json={})
    client.calls.create(ROWS)
    one, raw, other = transport.seen
    for request in (one, raw):
        assert (request.headers["X-Team"], request.headers["X-Job"]) == ("a", "b")
        assert set(request.extensions["timeout"].values()) == {None}
    assert "X-Job" not in other.headers
    assert set(other.extensions["timeout"].values()) == {5}
    assert derived.options.retry == Retry(1)
    assert derived.options.max_concurrency == 2
    assert (client.options.retry, client.options.max_concurrency) == (Retry(), 8)


def test_it_retries_otherwise(make_client: ClientFactory) -> None:
    """And the first client as before."""
    sandbox = Sandbox(faults=script(["500", "500"]))
    client = make_client(transport=sandbox)
    assert len(client.with_options(retry=Retry(1)).campaigns.read(["1"]).failed) == 1
    assert len(sandbox.requests) == 1
    client.campaigns.read(["1"])
    assert len(sandbox.requests) == 3


def test_the_rate_limit_is_shared(make_client: ClientFactory) -> None:
    """A derived client does not begin a new window."""
    sandbox = Sandbox(rate_limit=None)
    waits: list[Any] = []
    client = make_client(transport=sandbox, rate_limit=RateLimit(2, 10.0))
    client.calls.create([ROW])
    derived = client.with_options(max_concurrency=1, on_event=waits.append)
    derived.calls.create([ROW])
    assert not [event for event in waits if type(event).__name__ == "Wait"]
    derived.with_options(timeout=3).calls.create([ROW])
    assert [event.reason for event in waits if type(event).__name__ == "Wait"] == ["rate_limit"]


def test_the_token_is_asked_for_once(make_client: ClientFactory) -> None:
    """A derived client has the token of the first one."""
    asked: list[str] = []

    def provide() -> str:
        asked.append(SECRET)
        return SECRET

    client = make_client(provide, transport=Sandbox())
    client.calls.create([ROW])
    client.with_options(timeout=3).calls.create([ROW])
    assert len(asked) == 1


def test_connections_are_shared(make_client: ClientFactory) -> None:
    """Requests of both clients go over one connection; closing the derived one keeps it."""
    sandbox = live_sandbox()
    with served(sandbox) as url:
        client = make_client(base_url=url)
        derived = client.with_options(timeout=7)
        before = _connections(client)
        derived.calls.create([ROW])
        derived.close()
        client.calls.create([ROW])
        assert before == []
        assert len(_connections(client)) == 1


def _connections(client: Any) -> list[Any]:
    inner = client._sending._here()._inner
    if hasattr(inner, "_loops"):
        inner = next((made[0] for made in inner._loops.values.values()), None)
    return [] if inner is None else list(inner._pool.connections)


def test_other_slots(make_client: ClientFactory) -> None:
    """With another max_concurrency, as many requests as that are under way."""
    under_way, most, lock = [0], [0], threading.Lock()
    if make_client.kind == "async":
        pytest.skip("one thread shows it")

    class Slow(httpx.BaseTransport):
        connectionless = True

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            threading.Event().wait(0.02)
            with lock:
                under_way[0] -= 1
            return httpx.Response(500, json={})

    client = make_client(transport=Slow(), max_concurrency=4, rate_limit=None)
    client.with_options(max_concurrency=2).calls.create(ROWS * 4, chunk_size=1)
    assert most == [2]


def test_closing_the_first_client_closes_derived_ones(make_client: ClientFactory) -> None:
    """And from a closed one none is derived."""
    client = make_client(transport=Sandbox())
    derived = client.with_options(timeout=3).with_options(timeout=4)
    client.close()
    for action in (lambda: derived.calls.create([ROW]), lambda: client.with_options(timeout=1)):
        with pytest.raises(ConfigurationError, match="This client is closed; make a new one"):
            action()


def test_a_client_forgets_derived_ones(make_client: ClientFactory) -> None:
    """One for each call is no leak."""
    client = make_client(transport=Sandbox())
    for _ in range(3):
        client.with_options(timeout=3).calls.create([ROW])
    gc.collect()
    assert len(client._derived) == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"timeout": -1}, "timeout must be more than 0 seconds"),
        ({"retry": None}, "retry must be a Retry"),
        ({"max_concurrency": 0}, "max_concurrency must be a whole number"),
        ({"headers": None}, "headers must be a mapping"),
        ({"on_event": 5}, "on_event must be a function"),
    ],
)
def test_a_wrong_option(make_client: ClientFactory, wrong: dict[str, Any], words: str) -> None:
    """It is refused at once."""
    with pytest.raises(ConfigurationError, match=words):
        make_client(transport=Sandbox()).with_options(**wrong)


def test_functions_are_replaced_or_kept(make_client: ClientFactory) -> None:
    """None takes one away."""
    first: list[Any] = []
    second: list[Any] = []
    client = make_client(transport=Sandbox(), on_outcome=first.append)
    client.with_options(timeout=3).calls.create([ROW])
    assert len(first) == 1
    client.with_options(on_outcome=second.append).calls.create([ROW])
    client.with_options(on_outcome=None).calls.create([ROW])
    assert (len(first), len(second)) == (1, 1)


# ---------------------------------------------------------------- headers, proxy, verify

HIDDEN = "what-a-gateway-wants"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Authorization": f"Bearer {HIDDEN}"}, "must not name Authorization: .*pass the token"),
        ({"content-length": "3"}, "must not name content-length"),
        ({"X": f"two\r\nlines {HIDDEN}"}, r"headers\['X'\] must be text"),
        ({"X": 5}, r"headers\['X'\] must be text"),
        ({f"{HIDDEN} X": "a"}, "names of letters"),
        ([("X", "a")], "must be a mapping of header names"),
    ],
)
def test_a_header_that_is_refused(make_client: ClientFactory, headers: Any, words: str) -> None:
    """Nothing of it is repeated that may be a secret."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        make_client(transport=Sandbox(), headers=headers)
    assert HIDDEN not in str(caught.value)


def test_a_header_has_one_name_in_any_case(make_client: ClientFactory) -> None:
    """So `with_options` replaces a header that is spelled in another way, and two are refused."""
    sent: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(201, json={"results": []})

    client = make_client(transport=httpx.MockTransport(answer), headers={"X-Team": "sales"})
    client.with_options(headers={"x-team": "support"}).calls.create(ROWS[:1])
    assert sent[0].get_list("X-Team") == ["support"]
    client.with_options(headers={"user-agent": "nightly"}).calls.create(ROWS[:1])
    assert sent[1].get_list("User-Agent") == ["nightly"]
    with pytest.raises(ConfigurationError, match="headers names x-team twice"):
        make_client(transport=Sandbox(), headers={"X-Team": "a", "x-team": "b"})


def test_a_proxy_and_certificates_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take the place of the environment's, and no repr shows the password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://from.environment:1")
    options = ClientOptions(proxy="http://user:pass-word@proxy.example:3128")
    assert "pass-word" not in repr(options)
    proxy = route_to(options).proxy
    assert proxy is not None
    assert (proxy.address, proxy.variable) == ("http://proxy.example:3128", "proxy")
    assert route_to(ClientOptions(proxy=False)).proxy is None
    environment = route_to(ClientOptions()).proxy
    assert environment is not None
    assert environment.address == "http://from.environment:1"
    context = ssl.create_default_context()
    assert route_to(ClientOptions(verify=context)).context is context
    given = pickle.loads(pickle.dumps(options))
    assert given == options


def test_certificates_of_a_path(tmp_path: Path) -> None:
    """A file or a folder; what is neither is named by the argument."""
    pem = Path(__file__).parents[1] / "support" / "wire_server.pem"
    for path in (pem, str(pem), tmp_path):
        assert route_to(ClientOptions(verify=path)).context is not None
    with pytest.raises(ConfigurationError, match=r"^verify cannot be used"):
        HubSpotBatch(SECRET, verify=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match=r"^verify is empty"):
        HubSpotBatch(SECRET, verify="")
    with pytest.raises(ConfigurationError, match=r"^verify must be True, the path of trusted"):
        HubSpotBatch(SECRET, verify=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"proxy": "http://host:1"}, {"verify": "/etc/x.pem"}])
def test_a_transport_has_its_own(make_client: ClientFactory, wrong: dict[str, Any]) -> None:
    """A proxy beside a transport would do nothing, so it is refused."""
    with pytest.raises(ConfigurationError, match="proxy and verify are about the client's own"):
        make_client(transport=Sandbox(), **wrong)


def test_a_request_goes_through_the_named_proxy(make_client: ClientFactory) -> None:
    """On the wire: the proxy is connected to, and is named when it is not there."""
    client = make_client(proxy="http://127.0.0.1:9", retry=Retry(1), base_url="http://localhost:1")
    with pytest.raises(Exception, match=r"through the proxy http://127\.0\.0\.1:9"):
        client.calls.create([ROW])


# ---------------------------------------------------------------- validate


@pytest.mark.parametrize("iterates", [False, True])
def test_inputs_are_checked_and_not_sent(make_client: ClientFactory, iterates: bool) -> None:
    """The problems are those of the call itself; nothing else is said of the others."""
    sandbox = Sandbox()
    told: list[Any] = []
    client = make_client(transport=sandbox, on_event=told.append, on_outcome=told.append)
    rows: list[Any] = [ROW, {"properties": {"hs_timestamp": b"5"}}, {"nothing": 5}, *ROWS]
    calls = client.validate.calls
    if iterates:
        found = sorted(calls.create_iter(rows, chunk_size=2), key=lambda one: one.index)
    else:
        result = calls.create(rows, chunk_size=2)
        assert isinstance(result, BatchResult)
        found = [*result.outcomes]
    assert not sandbox.requests
    assert told == []
    real = client.calls.create(rows)
    assert [one for one in found if one.status is OutcomeStatus.FAILED] == [*real.failed]
    others = [one for one in found if one.status is not OutcomeStatus.FAILED]
    assert [(one.index, one.status, one.error) for one in others] == [
        (index, OutcomeStatus.NOT_SENT, None) for index in (0, 3, 4, 5)
    ]
    assert "not_sent" in repr(others[0])
    assert others[0].to_dict()["error"] is None


def test_arguments_are_checked_too(make_client: ClientFactory) -> None:
    """And an iterable that raises stops it as it stops a run."""
    validate = make_client(transport=Sandbox()).validate

    def broken() -> Any:
        yield ROW
        raise OSError

    with pytest.raises(ConfigurationError, match="chunk_size"):
        validate.calls.create([ROW], chunk_size=1000)
    with pytest.raises(ConfigurationError, match="end_date must be given"):
        validate.campaigns.read(["1"], end_date="2026-01-01")
    with pytest.raises(InputError):
        validate.calls.create(broken())
    with pytest.raises(ConfigurationError, match="validate sends nothing"):
        validate.calls.reconcile([])


def test_a_check_leaves_the_journal_alone(make_client: ClientFactory, tmp_path: Path) -> None:
    """It is neither read nor written."""
    path = tmp_path / "journal"
    make_client(transport=Sandbox()).validate.calls.create([ROW], journal=Journal(path))
    assert not path.exists()


def test_many_inputs_are_checked_in_bounded_memory(make_client: ClientFactory) -> None:
    """They are read as outcomes are taken."""
    read: list[int] = []

    def rows() -> Any:
        for number in range(5000):
            read.append(number)
            yield ROW

    outcomes = make_client(transport=Sandbox()).validate.calls.create_iter(rows())
    next(outcomes)
    assert len(read) < 2500
    outcomes.close()
