"""The way to the central service: through a proxy of the environment, and to whom it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from jupyterlab_notify.sources.central import CentralClient, Transport
from jupyterlab_notify.sources.central.failure import Failure
from jupyterlab_notify.sources.central.transport import trust

from ...support.asking_service import failure_at
from ...support.central import Central
from ...support.central_lab import TOKEN, config, healthy, passed, rows, shows
from ...support.proxy import SUFFIX, Proxy
from ...support.servers import Server, wait_for

#: Variables that name a proxy, in the spellings that count.
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

Make = Callable[..., Server]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def central(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    directory = tmp_path_factory.mktemp("central")
    certificate = directory / "certificate.pem"
    issued = authority.issue_cert("127.0.0.1", f"central{SUFFIX}")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    central = Central(directory, certificate)
    try:
        yield central.start()
    finally:
        central.stop()


@pytest.fixture(autouse=True)
def calm(central: Central, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with a service that holds nothing, and an environment that names no proxy."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    yield
    central.clear()


def bundle(authority: trustme.CA, path: Path) -> Path:
    """Write a CA bundle, whole or not at all: a lab may just look at it."""
    new = path.with_suffix(".new")
    authority.cert_pem.write_to_path(new)
    return new.replace(path)


async def ask(url: str, **options: Any) -> str | None:
    """Ask for the broadcasts with the service's token; return what went wrong."""
    return await failure_at(url, token=lambda: TOKEN, **options)


def test_it_is_asked_through_the_proxy_of_the_environment(
    make_server: Make, central: Central
) -> None:
    central.broadcast("Through the proxy")
    with Proxy() as proxy:
        # This name means something to the proxy only: whatever arrives came through it.
        url = f"http://central{SUFFIX}:{central.port}/semaphore"
        lab = make_server(
            config=config(central, central_url=url),
            env={"CENTRAL_TOKEN": TOKEN, "HTTP_PROXY": proxy.url},
        )
        with lab.websocket():
            shows(lab, "Through the proxy")
            healthy(lab, None)
            assert f"GET {url}/v1/broadcasts" in proxy.asked
            assert {r["token"] for r in central.requests()} == {TOKEN}
            proxy.stop()
            said = wait_for(lambda: lab.status()["central"]["lastFailure"], "the failure")
            assert said["message"] == (
                "The central service cannot be reached through the proxy that the environment "
                "names (Connection refused)."
            )
            wait_for(
                lambda: lab.status()["central"]["lastFailure"]["at"] > said["at"], "another try"
            )
            one = central.message("Sent meanwhile")
            assert set(rows(lab)) == {"Through the proxy"}
            proxy.start()
            shows(lab, "Through the proxy", "Sent meanwhile")
            # Changes go through the proxy too.
            lab.change(rows(lab)["Sent meanwhile"]["id"], read=True)
            wait_for(lambda: one not in central.unread(), "it to be read there")
            healthy(lab, lab.status()["central"]["lastFailure"]["at"])
        lab.stop()
    assert lab.log.count("through the proxy") == 1
    assert lab.log.count("The central service answers again.") == 1
    assert "Traceback" not in lab.log


async def test_no_proxy_is_honoured_and_a_proxy_may_want_a_user(
    central: Central, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = str(bundle(authority, tmp_path / "ca.pem"))
    with Proxy("jo:se-cret") as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        refused = await ask(central.url)
        assert refused == (
            "The proxy that the environment names refuses the request "
            "(407 Proxy Authentication Required)."
        )
        assert await ask(central.https_url, ca_bundle=trusted) == (
            "The central service cannot be reached through the proxy that the environment names "
            "(it answered 407)."
        )
        # The user's actions are not given up because of that.
        client = CentralClient(Transport(central.url, token=lambda: TOKEN, timeout_s=10))
        with pytest.raises(Failure) as caught:
            await client.mark("read", ["1"])
        await client.close()
        assert not caught.value.permanent
        assert central.requests() == []
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url.replace("//", "//jo:se-cret@"))
        assert await ask(central.url) is None
        assert await ask(central.https_url, ca_bundle=trusted) is None
        assert proxy.asked[-1].startswith("CONNECT 127.0.0.1:")
        asked = len(proxy.asked)
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        assert await ask(central.url) is None
        assert len(proxy.asked) == asked
    monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", "//jo:se-cret@"))
    assert await ask(central.url) is None
    monkeypatch.delenv("NO_PROXY")
    refused = await ask(central.url)
    assert refused is not None and refused.endswith("(Connection refused).")
    assert "se-cret" not in refused


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://127.0.0.1:port", "nonsense://x"])
async def test_a_proxy_that_cannot_be_used_is_a_failure_and_nothing_else(
    central: Central, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    said = await ask(central.url)
    assert said is not None and said.startswith("The central service cannot be")
    assert "proxy" in said


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    central: Central, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await ask(central.https_url)
    assert said is not None
    assert said.startswith("The central service cannot be reached (its certificate is not trusted:")
    assert central.requests() == []
    path = bundle(authority, tmp_path / "ca.pem")
    assert await ask(central.https_url, ca_bundle=str(path)) is None
    # The certificate is not trusted for a name other than its own.
    elsewhere = central.https_url.replace("127.0.0.1", "localhost")
    said = await ask(elsewhere, ca_bundle=str(path))
    assert said is not None and "not valid for 'localhost'" in said
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert await ask(central.https_url) is None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    said = await ask(central.https_url)
    assert said is not None and "SSL_CERT_FILE" in said and "No such file" in said
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong, why in ((empty, "it holds no certificates"), (tmp_path, "Is a directory")):
        with pytest.raises(Failure) as caught:
            trust(str(wrong))
        assert str(wrong) in str(caught.value) and why in str(caught.value)


def test_a_ca_bundle_that_is_missing_is_one_line_at_the_start_and_may_come_later(
    make_server: Make, central: Central, authority: trustme.CA, tmp_path: Path
) -> None:
    central.message("Encrypted")
    path = tmp_path / "bundle.pem"
    lab = make_server(
        config=config(central, central_url=central.https_url, central_ca_bundle=str(path)),
        env={"CENTRAL_TOKEN": TOKEN},
    )
    line = wait_for(
        lambda: [line for line in lab.log.splitlines() if str(path) in line], "a line at the start"
    )
    sentence = (
        "The central service cannot be used: its CA bundle (NotifyApp.central_ca_bundle) "
        f"{path} cannot be used (No such file or directory)."
    )
    assert sentence in line[0]
    lab.ingest("works all the same")

    def failure() -> str:
        return str((lab.status()["central"]["lastFailure"] or {}).get("message"))

    with lab.websocket():
        wait_for(lambda: failure() == sentence, "the failure")
        bundle(trustme.CA(), path)
        wait_for(lambda: "its certificate is not trusted" in failure(), "another failure")
        assert central.requests() == [], "no token goes to whom nobody vouches for"
        bundle(authority, path)
        shows(lab, "works all the same", "Encrypted")
        passed(lab)
    lab.stop()
    assert lab.log.count(str(path)) == 1
    assert lab.log.count("its certificate is not trusted") == 1
    assert lab.log.count("The central service answers again.") == 1
    assert "Traceback" not in lab.log
