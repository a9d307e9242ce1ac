"""The questions to an index; no credential is shown or sent elsewhere."""

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from releases import package_index

PASSWORD = "do-not-show-me"


def page(*names: str) -> httpx.Response:
    links = "".join(f'<a href="../../files/{name}#sha256=00">{name}</a><br>' for name in names)
    return httpx.Response(200, html=f"<html><body>{links}</body></html>")


def refusal(action: Callable[[], object]) -> package_index.ReleaseRefusedError:
    with pytest.raises(package_index.ReleaseRefusedError) as caught:
        action()
    assert PASSWORD not in str(caught.value)
    return caught.value


class TestIndexUrl:
    @pytest.mark.parametrize(
        ("text", "upload"),
        [
            ("https://index.example", "https://index.example/"),
            ("https://index.example/simple", "https://index.example/"),
            ("https://index.example/team/simple/", "https://index.example/team/"),
            ("https://index.example/team/+simple/", "https://index.example/team/"),
            ("https://index.example/simpler/", "https://index.example/simpler/"),
            ("https://index.example/packages/pypi", "https://index.example/packages/pypi"),
            (
                "https://index.example/o/_packaging/f/pypi/simple/",
                "https://index.example/o/_packaging/f/pypi/upload/",
            ),
            ("http://localhost:8080", "http://localhost:8080/"),
            ("http://127.0.0.2:8080/?a=b#c", "http://127.0.0.2:8080/"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
        ],
    )
    def test_upload_address(self, text: str, upload: str) -> None:
        """The address that pip takes and the one that twine takes both do."""
        assert str(package_index.index_url(text)) == upload

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("", "INDEX_URL=https://"),
            ("https://index.example:port/", "must be an address"),
            ("https://index.example:65536/", "must be an address"),
            ("index.example/simple", "begins with https://"),
            ("ftp://index.example/", "begins with https://"),
            ("https:///simple", "names a host"),
            ("http://index.example/", "plain http"),
            ("http://127.0.0.1.example/", "plain http"),
        ],
    )
    def test_wrong_address(self, text: str, word: str) -> None:
        """An address that will not do is wrong use, in one sentence that says why."""
        error = refusal(lambda: package_index.index_url(text))
        assert error.code == package_index.WRONG_USE
        assert word in str(error)

    @given(
        st.sampled_from(["https", "http"]), st.sampled_from(["", ":", "someone:", "some%40one:"])
    )
    def test_credentials_in_address(self, scheme: str, user: str) -> None:
        """Credentials in the address are refused and not repeated."""
        error = refusal(lambda: package_index.index_url(f"{scheme}://{user}{PASSWORD}@127.0.0.1/"))
        assert error.code == package_index.WRONG_USE
        assert "holds credentials" in str(error)


@pytest.mark.parametrize(
    ("upload", "simple"),
    [
        ("https://index.example/", "https://index.example/simple/"),
        ("https://index.example/packages/pypi", "https://index.example/packages/pypi/simple/"),
        (
            "https://index.example/o/_packaging/f/pypi/simple/",
            "https://index.example/o/_packaging/f/pypi/simple/",
        ),
        (
            "https://index.example/o/_packaging/f/pypi/upload/",
            "https://index.example/o/_packaging/f/pypi/simple/",
        ),
        ("https://index.example/team/+simple/", "https://index.example/team/+simple/"),
        ("https://index.example/team/simple/", "https://index.example/team/simple/"),
    ],
)
def test_address_of_the_list(upload: str, simple: str) -> None:
    """The list is below the address for uploads, or beside it."""
    assert str(package_index.simple_url(upload)) == simple


class TestPublishedVersions:
    URL = httpx.URL("https://index.example/team/simple/hubspot-batch/")
    AUTH = ("someone", PASSWORD)

    def versions(
        self, answer: httpx.Response | Callable[[httpx.Request], httpx.Response]
    ) -> frozenset[Version]:
        transport = httpx.MockTransport(answer if callable(answer) else lambda request: answer)
        return package_index.published_versions(self.URL, self.AUTH, transport)

    def test_reads_every_kind_of_file(self) -> None:
        """Wheels and source distributions count; what has no version is passed over."""
        answer = page(
            "hubspot_batch-0.1.0-py3-none-any.whl",
            "hubspot-batch-0.2.tar.gz",
            " hubspot_batch-1!3.zip\n",
            "notes.txt",
            "broken.whl",
        )
        assert self.versions(answer) == {Version("0.1"), Version("0.2"), Version("1!3")}

    @pytest.mark.parametrize(
        "body",
        [
            '<a href="x"><code>hubspot_batch-0.1.0-py3-none-any.whl</code></a>',
            '<a href="x" data-yanked="bad">hubspot_batch-0.1.0-py3-none-any.whl</a>',
            '<A HREF="../f/hubspot_batch-0.1.0-py3-none-any.whl#sha256=0">the wheel</A>',
            '<a href="hubspot%5Fbatch-0.1.0.tar.gz">hubspot&#95;batch-0.1.0.tar.gz',
        ],
    )
    def test_every_way_to_write_a_link(self, body: str) -> None:
        """The name may be marked up, withdrawn, or in the address only."""
        assert self.versions(httpx.Response(200, html=body)) == {Version("0.1.0")}

    def test_list_as_json(self) -> None:
        """An index may answer in JSON, whatever it was asked for (PEP 691)."""
        kind = "application/vnd.pypi.simple.v1+json"
        for files, versions in (
            ([{"filename": "hubspot_batch-0.1.0.tar.gz"}], {"0.1.0"}),
            ([], ()),
        ):
            page = httpx.Response(200, json={"files": files}, headers={"Content-Type": kind})
            assert self.versions(page) == set(map(Version, versions))
        for broken in ("[1]", "{", '{"files": [1]}'):
            page = httpx.Response(200, text=broken, headers={"Content-Type": kind})
            assert "not known which versions" in str(refusal(lambda p=page: self.versions(p)))

    @pytest.mark.parametrize(
        "body",
        [
            "<title>Links for hubspot-batch</title>",
            '<meta name="pypi:repository-version" content="1.0">',
            "<h1>Links for hubspot-batch</h1>",
        ],
    )
    def test_list_without_files(self, body: str) -> None:
        """A list may be empty, if it says that it is one."""
        assert self.versions(httpx.Response(200, html=f"<html>{body}</html>")) == frozenset()

    @pytest.mark.parametrize(
        "body", ["", "<form action=/login><a href=/help>Help</a></form>", "<h1>Welcome</h1>"]
    )
    def test_page_that_is_no_list(self, body: str) -> None:
        """A login page does not say that the index has no version."""
        said = str(refusal(lambda: self.versions(httpx.Response(200, html=body))))
        assert "it is not known which versions it has. Nothing was uploaded." in said
        assert "--any-index" in said

    def test_unknown_project(self) -> None:
        """An index that does not know the project has no version of it."""
        assert self.versions(httpx.Response(404)) == frozenset()

    def test_redirect_within_the_index(self) -> None:
        """A redirect within the index is followed, with the credentials."""

        def answer(request: httpx.Request) -> httpx.Response:
            assert request.headers["Authorization"].startswith("Basic ")
            if request.url.path.startswith("/team/"):
                return httpx.Response(301, headers={"Location": "/moved/"})
            return page("hubspot_batch-0.1.0.tar.gz")

        assert self.versions(answer) == {Version("0.1.0")}

    def test_redirect_to_elsewhere(self) -> None:
        """A redirect to another place is not followed: the password would go there."""

        def answer(request: httpx.Request) -> httpx.Response:
            assert request.url.host == "index.example"
            return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

        assert "sends the reader on to https://elsewhere.example/" in str(
            refusal(lambda: self.versions(answer))
        )

    def test_redirects_end(self) -> None:
        """A circle of redirects ends."""
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(302, headers={"Location": str(request.url)})

        assert "sends the reader on" in str(refusal(lambda: self.versions(answer)))
        assert len(asked) < 10

    @pytest.mark.parametrize(
        ("status", "word"),
        [(401, "TWINE_PASSWORD"), (403, "TWINE_PASSWORD"), (503, "answered 503")],
    )
    def test_index_says_no(self, status: int, word: str) -> None:
        """Without a clear answer nothing is uploaded."""
        error = refusal(lambda: self.versions(httpx.Response(status)))
        assert error.code == package_index.REFUSED
        assert word in str(error)

    def test_unreachable(self) -> None:
        """An index that is not there is one sentence."""

        def answer(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("no listener", request=request)

        assert "cannot be reached (ConnectError: no listener)" in str(
            refusal(lambda: self.versions(answer))
        )
