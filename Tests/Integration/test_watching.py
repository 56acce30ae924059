"""Changed files are followed without a signal, however they are changed."""

import json
import os
import shutil

import pytest

from support.clients import connect, exchange
from support.gateway import POLICY
from support.live import BOTH, alive, allow, ended, with_rules

OTHERS = with_rules(allow("billing"))


def _rename_over(front, path, content):
    front.write(path, content)


def _in_place(front, path, content):
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()


def _delete_and_create(front, path, content):
    path.unlink()
    path.write_bytes(content)


def _as_vim(front, path, content):
    """A backup is moved away, the new file is written at the old name, and the backup goes (backupcopy=no)."""
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_bytes(content)
    backup.unlink()


def _slowly(front, path, content):
    """In pieces, each of which is no whole file."""
    with open(path, "wb", buffering=0) as file:
        for start in range(0, len(content), 16):
            file.write(content[start:start + 16])
            os.fsync(file.fileno())


WAYS = [_rename_over, _in_place, _delete_and_create, _as_vim, _slowly]


def content_of(policy):
    return json.dumps(policy, indent=2).encode()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_changed_policy_is_live_without_a_signal(gateway, upstream, pki, way):
    front = gateway(upstream().address)
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        way(front, front.policy, content_of(OTHERS))
        front.followed()
        assert ended(stream)
    assert exchange(front, pki.billing) == b"ping"
    assert not front.records("configuration-rejected"), front.stderr()


def test_a_new_file_that_a_glob_matches(gateway, upstream, pki, tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()
    front = gateway(upstream().address, start=False, policies=[str(folder / "*.yaml"), str(tmp_path / "*/deep.yaml")])
    deep = tmp_path / "deep"
    deep.mkdir()
    front.write(deep / "deep.yaml", {"version": 1, "rules": []} | with_rules())
    front.write(folder / "rules.yaml", {"version": 1, "rules": [allow("orders")]})
    front.start()
    with connect(front, pki.orders) as stream:
        assert alive(stream)
        front.write(folder / "more.yaml", {"version": 1, "rules": [allow("billing")]})
        front.followed()
        assert exchange(front, pki.billing) == b"ping"
        # In a folder that was not there.
        (tmp_path / "other").mkdir()
        front.write(tmp_path / "other" / "deep.yaml", {"version": 1, "rules": [
            {"name": "nobody", "action": "deny", "callers": ["worker/billing"]}]})
        front.followed()
        with connect(front, pki.billing) as refused:
            assert ended(refused)
        (folder / "more.yaml").unlink()
        front.followed()
        assert alive(stream)


def test_a_config_map_is_swapped(gateway, upstream, pki, tmp_path):
    """As the kubelet does it: a folder of its own for each version, and a symbolic link that is renamed over."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def publish(version, policy):
        data = volume / f"..{version}"
        data.mkdir()
        (data / "policy.yaml").write_bytes(content_of(policy))
        (volume / "..data_tmp").symlink_to(data.name)
        (volume / "..data_tmp").rename(volume / "..data")
        for old in volume.glob("..2*"):
            if old != data:
                shutil.rmtree(old)

    publish("2026_1", BOTH)
    (volume / "policy.yaml").symlink_to("..data/policy.yaml")
    front = gateway(upstream().address, policies=[str(volume / "policy.yaml")])
    with connect(front, pki.orders) as orders, connect(front, pki.billing) as billing:
        assert alive(orders) and alive(billing)
        publish("2026_2", OTHERS)
        front.followed()
        assert ended(orders) and alive(billing)
        publish("2026_3", with_rules(allow("orders")))
        front.followed()
        assert ended(billing)
    assert exchange(front, pki.orders) == b"ping"
    assert not front.records("configuration-rejected"), front.stderr()


def test_certificates_and_keys_are_followed(gateway, upstream, pki, own_files):
    front = gateway(upstream().address, tls=own_files["tls"])
    with connect(front, pki.orders) as stream:
        shown = stream.getpeercert(binary_form=True)
        new = pki.server("watched")
        # Two files cannot change at one moment; what lies between them is refused, or passed over.
        front.write(own_files["certificate"], new.certificate.read_bytes())
        front.write(own_files["key"], new.key.read_bytes())
        front.followed()
        with connect(front, pki.orders) as fresh:
            assert fresh.getpeercert(binary_form=True) != shown
        assert alive(stream)


def test_what_is_wrong_is_told_once_and_mended_later(gateway, upstream, pki):
    front = gateway(upstream().address)
    good = front.policy.read_bytes()
    front.write(front.policy, good[:50])
    front.followed("countersign: reload rejected")
    # Looked at again and again, and always the same.
    os.utime(front.policy)
    front.reload("countersign: reload rejected")
    assert len(front.records("configuration-rejected")) == 1
    front.write(front.policy, content_of(OTHERS))
    front.followed()
    assert exchange(front, pki.billing) == b"ping"
    assert len(front.records("configuration-loaded")) == 2


def test_a_file_that_stands_still_is_left_alone(gateway, upstream, pki):
    front = gateway(upstream().address)
    before = front.stderr()
    for _ in range(20):
        exchange(front, pki.orders)  # writes the log, which lies in the same folder
    os.utime(front.policy)
    front.reload("countersign: reload: nothing has changed")
    assert front.stderr().replace(before, "", 1) == "countersign: reload: nothing has changed\n"
    assert len(front.records("configuration-loaded")) == 1


def test_looking_finds_what_the_kernel_does_not_tell(gateway, upstream, pki, tmp_path):
    """A folder above the files is replaced, which no watch of ours sees."""
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    front = gateway(upstream().address, start=False, policies=[str(place / "policy.yaml")])
    front.write(place / "policy.yaml", POLICY)
    front.start()
    other = tmp_path / "new" / "b"
    other.mkdir(parents=True)
    front.write(other / "policy.yaml", OTHERS)
    (tmp_path / "a").rename(tmp_path / "old")
    (tmp_path / "new").rename(tmp_path / "a")
    front.followed()
    assert exchange(front, pki.billing) == b"ping"
