"""Packs: whatever is changed in one is found and named, and no other key's signature is taken for the right one."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import BadPlanError, ExitCode, ToolkitError
from toolkit.evidence import layout as layouts
from toolkit.evidence.about import about, command, commands
from toolkit.evidence.layout import Entry, Problem, Reader
from toolkit.evidence.manifest import MANIFEST, SIGNATURE
from toolkit.evidence.pack import _verify, verify_pack, write_pack
from toolkit.signing import FileSigner, PublicKey, Signer

from .conftest import FILES, Maker, manifest, public_pem

NAMES = (*FILES, MANIFEST, SIGNATURE)


def problems(data: bytes, key: PublicKey | None) -> tuple[Problem, ...]:
    """What is found in these bytes; not being a pack at all is a problem as well."""
    try:
        return _verify(Reader(io.BytesIO(data), "x"), "x", key).problems
    except BadPlanError as e:
        return (Problem("structure", "", str(e)),)


def test_a_pack_is_valid_private_and_as_other_programs_read_it(make: Maker, signer: Signer, public: PublicKey):
    file = make(signer)
    found = verify_pack(file, public)
    assert (found.problems, found.files, found.valid) == ((), 4, 4)
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == NAMES
        assert {name: archive.read(name) for name in FILES} == FILES
        assert {(i.date_time, i.external_attr >> 16) for i in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 0o100600)}


def test_the_same_evidence_is_the_same_file(make: Maker, signer: Signer):
    assert make(signer, "one.zip").read_bytes() == make(signer, "two.zip").read_bytes()


def test_a_pack_without_a_signature_is_intact_and_nothing_more(make: Maker, public: PublicKey):
    file = make()
    assert verify_pack(file, None).problems == ()
    (problem,) = verify_pack(file, public).problems
    assert (problem.kind, "not signed" in problem.text) == ("signature", True)


@pytest.mark.parametrize("signed", [True, False])
def test_one_changed_byte_anywhere_is_found_and_what_it_is_in_is_named(
    make: Maker, signer: Signer, public: PublicKey, signed: bool
):
    data = make(signer if signed else None).read_bytes()
    covered = 0
    for start, end, name in where_is(data):
        for position in range(start, end):
            changed = bytearray(data)
            # Each bit has its turn, and all of them.
            changed[position] ^= (0xFF, 0x01, 0x80, 0x20, 0x04)[position % 5]
            found = problems(bytes(changed), public if signed and position % 3 else None)
            if name in NAMES:
                assert name in {one.name for one in found if one.kind == "changed"}, f"{name}, {position}: {found}"
            else:
                assert any(one.kind in ("structure", "missing") for one in found), f"{name}, {position}: {found}"
            covered += 1
    assert covered == len(data)


def where_is(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Every byte of a pack: that of a member's content by its name, all others by what they are."""
    reader = Reader(io.BytesIO(data), "x")
    position = 0
    for entry in reader.entries:
        yield position, entry.start, f"header of {entry.name}"
        yield entry.start, entry.end, entry.name
        position = entry.end
    yield position, len(data), "the directory"


@pytest.mark.parametrize("more", [b"\n", b"PK", b"\0" * 70_000])
def test_what_follows_a_pack_is_named_and_no_file_is_said_to_be_missing(make: Maker, more: bytes):
    """Behind it, no directory is found: that says nothing of the files."""
    found = problems(make().read_bytes() + more, None)
    assert [(one.kind, "something follows it" in one.text) for one in found] == [("structure", True)]


EDITS = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 60)),
    st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=60)),
    st.tuples(st.just("copy"), st.floats(0, 1), st.floats(0, 1)),
)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> bytes:
    file = tmp_path_factory.mktemp("pack") / "pack.zip"
    contents = ((name, [content]) for name, content in FILES.items())
    write_pack(file, contents, lambda files: manifest(files, signer.signed), signer)
    return file.read_bytes()


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=3), with_key=st.booleans())
def test_no_cut_insertion_or_copy_passes(packed: bytes, public: PublicKey, edits: list[tuple], with_key: bool):
    data = packed
    for kind, at, what in edits:
        position = int(at * len(data))
        if kind == "cut":
            data = data[:position] + data[position + what :]
        elif kind == "insert":
            data = data[:position] + what + data[position:]
        else:
            source = int(what * len(data))
            data = data[:position] + data[source : source + 40] + data[position + 40 :]
    if data != packed:
        assert problems(data, public if with_key else None)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200), head=st.sampled_from([b"", b"PK\3\4", b"PK\5\6"]))
def test_no_bytes_raise_anything_but_that_they_are_no_pack(data: bytes, head: bytes):
    assert problems(head + data, None)


def unpacked(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_by(file: Path, members: dict[str, bytes]) -> Path:
    """What somebody makes of a pack's files with another program."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


def test_a_pack_that_another_program_has_packed_again_fails(make: Maker, signer: Signer, public: PublicKey):
    file = make(signer)
    packed_by(file, unpacked(file))
    for key in (public, None):
        found = verify_pack(file, key)
        assert {one.kind for one in found.problems} >= {"structure"}


def test_a_pack_whose_contents_are_made_consistent_again_fails_without_the_key(
    make: Maker, signer: Signer, public: PublicKey
):
    """By the toolkit itself: the manifest fits, the structure fits; only the signature cannot."""
    genuine = make(signer)
    forged = {**FILES, "report.json": b'{"kind": "audit", "findings": []}\n'}
    signature = unpacked(genuine)[SIGNATURE]

    class Replayed:
        signed = signer.signed

        def sign(self, _: bytes) -> bytes:
            return signature

    replayed = make(Replayed(), "replayed.zip", forged)  # type: ignore[arg-type]
    assert verify_pack(replayed, None).problems == ()  # integrity alone says nothing of who made it
    (problem,) = verify_pack(replayed, public).problems
    assert (problem.kind, problem.name) == ("signature", SIGNATURE)
    (problem,) = verify_pack(make(None, "unsigned.zip", forged), public).problems
    assert (problem.kind, "not signed" in problem.text) == ("signature", True)


def test_a_pack_that_another_key_has_signed_fails_and_both_keys_are_named(make: Maker, public: PublicKey):
    other = Ed25519PrivateKey.generate()
    (problem,) = verify_pack(make(FileSigner(other)), public).problems
    assert problem.kind == "signature"
    assert public.fingerprint in problem.text
    assert PublicKey(other.public_key()).fingerprint in problem.text

    class Pretender:
        """Signs with its own key, and says that it is the other one."""

        signed = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))).signed

        def sign(self, data: bytes) -> bytes:
            return other.sign(data)

    (problem,) = verify_pack(make(Pretender(), "pretended.zip"), public).problems  # type: ignore[arg-type]
    assert "not the signature of manifest.json by the given key" in problem.text


def rewritten(file: Path, change: Callable[[list[tuple[str, bytes, bool]]], list[tuple[str, bytes, bool]]]) -> Path:
    """A pack in the very layout of one, of other members: name, content, whether it is stored."""
    members = [(name, data, name in (MANIFEST, SIGNATURE)) for name, data in unpacked(file).items()]
    with file.open("wb") as stream:
        writer = layouts.Writer(stream)
        for name, data, stored in change(members):
            writer.add(name, [data], stored=stored)
        writer.close()
    return file


def test_every_file_that_is_changed_missing_or_added_is_named(make: Maker, signer: Signer, public: PublicKey):
    def change(members: list[tuple[str, bytes, bool]]) -> list[tuple[str, bytes, bool]]:
        changed = [
            (name, data.replace(b"ListUsers", b"ListGroup"), stored)
            for name, data, stored in members
            if name != "README.txt"
        ]
        return [*changed, ("facts/more.jsonl", b"{}\n", False)]

    found = verify_pack(rewritten(make(signer), change), public)
    assert [(one.kind, one.name) for one in found.problems] == [
        ("changed", "facts/iam.jsonl"),
        ("missing", "README.txt"),
        ("added", "facts/more.jsonl"),
    ]
    assert (found.valid, found.files) == (2, 4)


def test_files_in_another_order_and_in_another_form_are_found(make: Maker, signer: Signer, public: PublicKey):
    (problem,) = verify_pack(rewritten(make(signer), lambda members: [*members[1:], members[0]]), public).problems
    assert (problem.kind, "order" in problem.text) == ("structure", True)
    stored = rewritten(make(signer, "stored.zip"), lambda members: [(n, d, True) for n, d, _ in members])
    assert {(one.kind, one.name) for one in verify_pack(stored, public).problems} == {
        ("changed", name) for name in FILES
    }


@pytest.mark.parametrize(
    "name", [b"../../x.tx", b"/README.tx", b"README\\txt", b"CON:\0_____", b"a//b______", b".ssh/id___"]
)
def test_a_name_that_could_lead_elsewhere_is_found(make: Maker, name: bytes):
    found = problems(make().read_bytes().replace(b"README.txt", name), None)
    assert any(one.kind == "structure" and "a name that no file of a pack has" in one.text for one in found)


def test_two_members_of_one_name_are_found(tmp_path: Path):
    entries = [Entry("README.txt", True, 0, 0, 0, 0)]
    entries.append(Entry("README.txt", True, 0, 0, 0, entries[0].end))
    body = b"".join(entry.local for entry in entries)
    directory = b"".join(entry.central for entry in entries)
    data = body + directory + layouts._end(2, len(directory), len(body))
    assert any("occurs twice" in one.text for one in problems(data, None))


def test_a_member_that_unpacks_to_more_than_it_says_is_not_unpacked(make: Maker):
    file = make(files={"README.txt": b"\0" * 50_000_000})
    data = file.read_bytes()
    (entry, *_) = Reader(io.BytesIO(data), "x").entries
    small = Entry(entry.name, entry.stored, entry.crc, entry.packed_size, 10, entry.offset)
    lying = data.replace(entry.local, small.local).replace(entry.central, small.central)
    assert any("more than the 10 bytes" in one.text for one in problems(lying, None))


def test_a_pack_that_would_unpack_to_more_than_is_read_is_refused(monkeypatch: pytest.MonkeyPatch, make: Maker):
    monkeypatch.setattr(layouts, "_MOST_INFLATED", 100)
    with pytest.raises(BadPlanError, match="would unpack to"):
        verify_pack(make(), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an evidence pack: it is not a zip file"),
        (b"%PDF-1.7 and more of it than a zip file's end takes", "not an evidence pack: it is not a zip file"),
    ],
)
def test_what_is_not_a_zip_file_is_said_to_be_none(tmp_path: Path, content: bytes, message: str):
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(BadPlanError, match=message) as refused:
        verify_pack(file, None)
    assert refused.value.exit_code is ExitCode.BAD_PLAN


def test_a_zip_file_of_something_else_and_a_pack_of_another_format_are_said_to_be_that(tmp_path: Path, make: Maker):
    other = tmp_path / "other.zip"
    with other.open("wb") as stream:
        writer = layouts.Writer(stream)
        writer.add("a.txt", [b"a"])
        writer.close()
    with pytest.raises(BadPlanError, match="a zip file without manifest"):
        verify_pack(other, None)
    with pytest.raises(BadPlanError, match="a pack of format 2; this toolkit reads format 1") as refused:
        verify_pack(make(format=2), None)
    assert refused.value.hint is not None
    assert "the toolkit version that made it, or a later one" in refused.value.hint
    with pytest.raises(BadPlanError, match="its manifest is of something else"):
        verify_pack(make(name="kind.zip", kind="sbom"), None)


def test_a_manifest_that_is_written_otherwise_is_found(make: Maker):
    def loosely(members: list[tuple[str, bytes, bool]]) -> list[tuple[str, bytes, bool]]:
        return [(n, json.dumps(json.loads(d)).encode() if n == MANIFEST else d, s) for n, d, s in members]

    found = verify_pack(rewritten(make(), loosely), None)
    assert [(one.kind, one.name) for one in found.problems] == [("changed", MANIFEST)]
    assert found.manifest is None


@pytest.mark.parametrize("missing", [MANIFEST, SIGNATURE])
def test_a_missing_file_of_its_own_is_named(make: Maker, signer: Signer, public: PublicKey, missing: str):
    file = rewritten(make(signer), lambda members: [one for one in members if one[0] != missing])
    if missing == MANIFEST:
        with pytest.raises(BadPlanError, match=MANIFEST):
            verify_pack(file, public)
        return
    assert ("missing", missing) in {(one.kind, one.name) for one in verify_pack(file, public).problems}


def test_a_folder_and_a_file_that_is_not_there_cannot_be_read(tmp_path: Path):
    for file, words in ((tmp_path, "a folder, not a file"), (tmp_path / "none.zip", "No such file")):
        with pytest.raises(ToolkitError, match=words) as refused:
            verify_pack(file, None)
        assert refused.value.exit_code is ExitCode.ERROR


def test_nothing_is_left_of_a_pack_that_could_not_be_signed_or_made(tmp_path: Path, signer: Signer):
    class Refused:
        signed = signer.signed

        def sign(self, _: bytes) -> bytes:
            raise ToolkitError("kms:Sign failed")

    def interrupted() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(ToolkitError, match="kms:Sign"):
        write_pack(tmp_path / "x.zip", [("a", [b"a"])], lambda f: manifest(f, signer.signed), Refused())
    with pytest.raises(KeyboardInterrupt):
        write_pack(tmp_path / "x.zip", [("a", interrupted())], manifest, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
@pytest.mark.parametrize("kind", ["file", "link to nowhere", "folder"])
def test_what_appears_while_a_pack_is_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, links: bool
):
    file = tmp_path / "x.zip"

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    def content() -> Iterator[bytes]:
        yield b"half"
        if kind == "file":
            file.write_bytes(b"another's evidence")
        elif kind == "folder":
            file.mkdir()
        else:
            file.symlink_to(tmp_path / "nowhere")
        yield b"whole"

    if not links:
        monkeypatch.setattr("os.link", no_links)
    with pytest.raises(ToolkitError, match="the file exists, and evidence replaces no file") as refused:
        write_pack(file, [("a", content())], manifest, None)
    assert (refused.value.where, refused.value.exit_code) == (str(file), ExitCode.ERROR)
    assert list(tmp_path.iterdir()) == [file]
    assert kind != "file" or file.read_bytes() == b"another's evidence"


def test_a_pack_is_written_where_the_file_system_has_no_hard_links(make: Maker, monkeypatch: pytest.MonkeyPatch):
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr("os.link", no_links)
    file = make()
    assert verify_pack(file, None).intact
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("unit", [b"a", b'{"x":1}', b'{"UserName":"u","Tags":[]},'])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_content_of_any_size_unpacks_to_what_it_was(unit: bytes, pieces: int):
    """zlib may have taken all input while up to 258 bytes (the longest match) wait to be given out."""
    most = (pieces << 20) + 300
    content = unit * (most // len(unit) + 1)
    for more in (*range(0, 300, 9 if pieces == 1 else 60), 1, 2, 256, 257, 258, 259):
        size = (pieces << 20) + more
        stream = io.BytesIO()
        writer = layouts.Writer(stream)
        written = writer.add("a", [content[:size]])
        writer.close()
        reader = Reader(stream, "x")
        assert reader.content(reader.entries[0]) == written, f"{size} bytes"


def test_more_than_the_format_can_say_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(layouts, "_LARGEST", 1000)
    with pytest.raises(ToolkitError, match="larger than a pack can be") as refused:
        write_pack(tmp_path / "x.zip", [("a", [b"a" * 600] * 2)], manifest, None)
    assert "--regions" in str(refused.value.hint)
    assert list(tmp_path.iterdir()) == []


TOOLS = ("unzip", "sha256sum", "openssl", "python3")


def follow(lines: tuple[str, ...], file: Path, key: bytes) -> tuple[bool, str]:
    """Whether somebody who follows the instructions takes a pack for genuine, and what the commands print."""
    desk = file.parent / f"desk of {file.name}"
    folder = desk / "new"
    folder.mkdir(parents=True)
    shutil.copy(file, desk / "FILE.zip")
    (desk / "key.pub.pem").write_bytes(key)
    printed = ""
    for line in lines:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        printed += done.stdout + done.stderr
        if done.returncode:
            return False, printed
    return True, printed


def instructions(file: Path) -> tuple[str, ...]:
    text = zipfile.ZipFile(file).read("README.txt").decode()
    _, _, rest = text.partition("To verify it without the toolkit")
    block = rest.split("\n\n")[1]
    return tuple(line.strip() for line in block.splitlines())


def forgeries(key: Ed25519PrivateKey) -> dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]]:
    """What somebody without the key makes of a pack."""
    other = Ed25519PrivateKey.generate()

    def report(members: dict[str, bytes]) -> dict[str, bytes]:
        return {**members, "report.json": members["report.json"].replace(b"audit", b"adieu")}

    def digest(members: dict[str, bytes]) -> str:
        return hashlib.sha256(members["report.json"]).hexdigest()

    def sums(members: dict[str, bytes]) -> dict[str, bytes]:
        """The report, and a file of sums that fits."""
        made = report(members)
        lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in made.items())
        return {**made, "SHA256SUMS": "".join(lines).encode()}

    def consistent(members: dict[str, bytes]) -> dict[str, bytes]:
        made = report(members)
        return {**made, MANIFEST: members[MANIFEST].replace(digest(members).encode(), digest(made).encode())}

    def signed(members: dict[str, bytes]) -> dict[str, bytes]:
        """By another key, which is in the pack where an auditor could take it for the one that they have."""
        made = consistent(members)
        return {**made, SIGNATURE: other.sign(made[MANIFEST]), "key.pub.pem": public_pem(other)}

    def code(members: dict[str, bytes]) -> dict[str, bytes]:
        """A module that Python would import from the folder: it says that the changed report is as it was."""
        made = report(members)
        files = [{"sha256": digest(made), "name": "report.json"}]
        return {**made, "json.py": f"load = lambda _: {{'files': {files}}}\n".encode()}

    return {one.__name__: one for one in (report, sums, consistent, signed, code)}


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_the_instructions_in_a_pack_tell_a_genuine_one_from_forged_ones(
    make: Maker, tmp_path: Path, key: Ed25519PrivateKey, signer: Signer
):
    genuine = make(signer, files={**FILES, "README.txt": about(signer.signed).encode()})
    lines = instructions(genuine)
    assert lines == commands(signer.signed)
    passed, printed = follow(lines, genuine, public_pem(key))
    assert passed, printed
    assert [line for line in printed.splitlines() if line.endswith(": OK")] == [f"{name}: OK" for name in FILES]
    members = unpacked(genuine)
    for name, forge in forgeries(key).items():
        forged = packed_by(tmp_path / f"{name}.zip", forge(members))
        passed, printed = follow(lines, forged, public_pem(key))
        assert not passed, f"{name}: {printed}"


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_the_instructions_in_a_pack_without_a_signature_find_what_is_damaged(make: Maker, tmp_path: Path):
    file = make(files={**FILES, "README.txt": about(None).encode()})
    assert follow(instructions(file), file, b"")[0]
    members = {**unpacked(file), "facts/empty.jsonl": b"x"}
    passed, printed = follow(instructions(file), packed_by(tmp_path / "damaged.zip", members), b"")
    assert not passed
    assert "facts/empty.jsonl: FAILED" in printed


def test_the_documentation_has_the_instructions_of_the_packs(signer: Signer):
    page = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text()
    for line in commands(signer.signed):
        assert f"$ {line.replace('FILE.zip', 'prod.zip')}\n" in page
    for algorithm in ("ECDSA_SHA_256", "RSASSA_PSS_SHA_256"):
        assert f"$ {command(algorithm)}\n" in page
