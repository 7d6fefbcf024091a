"""The manifests for Kubernetes: valid by Kubernetes' schemas, and consistent with each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from traitlets.config import Config

from jupyterhub_notify.config import Settings
from jupyterhub_notify.configure import CENTRAL_URL

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes" / name).read_text())
    return content


def container() -> dict[str, Any]:
    found: dict[str, Any] = load("deployment.yaml")["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("version", ["1.30", "1.33", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_every_manifest_is_what_kubernetes_takes(manifest: Path, version: str) -> None:
    for document in yaml.safe_load_all(manifest.read_text()):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_manifest_with_a_mistake_is_refused() -> None:
    """The check above can fail."""
    document = load("service.yaml")
    document["spec"]["ports"][0]["targetport"] = document["spec"]["ports"][0].pop("targetPort")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.33", strict=True)


def test_names_ports_and_labels_agree() -> None:
    template = load("deployment.yaml")["spec"]["template"]
    labels = template["metadata"]["labels"]
    ours = {"app.kubernetes.io/name": "jupyterhub-notify"}
    assert ours.items() <= labels.items()
    for selector in (
        load("deployment.yaml")["spec"]["selector"]["matchLabels"],
        load("service.yaml")["spec"]["selector"],
        load("networkpolicy.yaml")["spec"]["podSelector"]["matchLabels"],
        load("poddisruptionbudget.yaml")["spec"]["selector"]["matchLabels"],
    ):
        assert selector == ours
    # The network policies of Zero to JupyterHub admit pods with these labels.
    for part in ("hub", "proxy-http", "singleuser"):
        assert labels[f"hub.jupyter.org/network-access-{part}"] == "true"
    port = container()["ports"][0]
    assert port["name"] == load("service.yaml")["spec"]["ports"][0]["targetPort"]
    assert str(port["containerPort"]) in container()["args"]
    # The job runs beside the service, and the service's name does not lead to it.
    job = load("migrate.yaml")["spec"]["template"]
    assert job["metadata"]["labels"] != ours
    assert job["spec"]["containers"][0]["image"] == container()["image"]


def test_every_variable_is_one_that_the_service_reads() -> None:
    known = {f"JUPYTERHUB_NOTIFY_{name.upper()}" for name in Settings.model_fields}
    known |= {
        "JUPYTERHUB_API_TOKEN",
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_BASE_URL",
        "JUPYTERHUB_SERVICE_PREFIX",
    }
    for name in ("deployment.yaml", "migrate.yaml"):
        given = load(name)["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {variable["name"] for variable in given} <= known


def test_the_hubs_values_add_the_service_that_the_manifests_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = yaml.safe_load((DEPLOY / "values.yaml").read_text())
    lines = values["hub"]["extraConfig"]["zz-notify"]
    monkeypatch.setenv("NOTIFY_API_TOKEN", "t" * 32)
    c = Config()
    c.KubeSpawner.environment = {"A": "1"}
    exec(lines, {"c": c})
    (service,) = c.JupyterHub.services
    name = load("service.yaml")["metadata"]["name"]
    port = load("service.yaml")["spec"]["ports"][0]["port"]
    assert service["url"] == f"http://{name}:{port}"
    prefix = next(v for v in container()["env"] if v["name"] == "JUPYTERHUB_SERVICE_PREFIX")
    assert c.KubeSpawner.environment[CENTRAL_URL] == f"http://{name}:{port}{prefix['value']}"
    secret = values["hub"]["extraEnv"]["NOTIFY_API_TOKEN"]["valueFrom"]["secretKeyRef"]
    assert secret == container()["env"][0]["valueFrom"]["secretKeyRef"]
    (rule,) = values["singleuser"]["networkPolicy"]["egress"]
    assert rule["ports"] == [{"port": port}]
    selector = rule["to"][0]["podSelector"]["matchLabels"]
    assert selector == load("service.yaml")["spec"]["selector"]
