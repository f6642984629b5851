import errno
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import IndexFileError
from embeddings.index import VectorIndex

SIZE = 16


def unit(rows, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((rows, SIZE)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(ids, vectors, query, k, *, allowed, without):
    """The oracle: every inner product with the fp16 vectors, sorted."""
    scores = vectors.astype(np.float16).astype(np.float32) @ query
    keep = [
        n
        for n, row in enumerate(ids.tolist())
        if (allowed is None or row in allowed) and (without is None or row not in without)
    ]
    keep.sort(key=lambda n: (-scores[n], ids[n]))
    return ids[keep][:k].tolist(), scores[keep][:k]


id_sets = st.none() | st.sets(st.integers(0, 70), max_size=40)


@given(st.integers(0, 60), st.integers(1, 80), id_sets, id_sets, st.integers(0, 99))
def test_search_is_what_brute_force_finds(rows, k, allowed, without, seed):
    vectors = unit(rows, seed)
    ids = np.random.default_rng(seed).permutation(70)[:rows].astype(np.int64)
    query = unit(1, seed + 1)[0]
    index = VectorIndex.build(ids, vectors)
    filters = {
        name: None if chosen is None else np.array(sorted(chosen), dtype=np.int64)
        for name, chosen in (("allowed", allowed), ("without", without))
    }
    found, scores = index.search(query, k, **filters)
    expected_ids, expected_scores = brute_force(
        ids, vectors, query, k, allowed=allowed, without=without
    )
    assert found.tolist() == expected_ids
    assert np.allclose(scores, expected_scores, atol=1e-5)


def test_equal_scores_are_ordered_by_id():
    index = VectorIndex.build(np.array([9, 3, 7]), np.repeat(unit(1), 3, axis=0))
    assert index.search(unit(1)[0], 3)[0].tolist() == [3, 7, 9]


@given(st.permutations(range(12)), st.integers(1, 12), st.integers(1, 3))
def test_of_equal_scores_at_the_last_place_the_least_ids_are_kept(order, k, kinds):
    vectors = np.eye(SIZE, dtype=np.float32)[[row % kinds for row in order]]
    found, _ = VectorIndex.build(np.array(order), vectors).search(vectors[order.index(0)], k)
    assert found.tolist() == sorted(range(12), key=lambda row: (row % kinds != 0, row))[:k]


def test_an_index_survives_its_file(tmp_path):
    path = tmp_path / "v.faiss"
    index = VectorIndex.build(np.arange(50) * 3, unit(50))
    index.save(path)
    again = VectorIndex.open(path)
    assert VectorIndex.verify(path)
    assert (len(again), again.dimensions) == (50, SIZE)
    assert sorted(again.ids().tolist()) == list(range(0, 150, 3))
    for query in unit(5, seed=3):
        for ours, theirs in zip(again.search(query, 9), index.search(query, 9), strict=True):
            assert np.array_equal(ours, theirs)
    assert [item.name for item in tmp_path.iterdir()] == ["v.faiss"]


def test_an_empty_index_survives_its_file_and_finds_nothing(tmp_path):
    path = tmp_path / "v.faiss"
    VectorIndex.build(np.empty(0, np.int64), np.empty((0, SIZE), np.float32)).save(path)
    assert len(VectorIndex.open(path)) == 0
    assert VectorIndex.open(path).search(unit(1)[0], 5)[0].tolist() == []


def test_no_damage_of_a_byte_goes_unseen_by_verify(tmp_path):
    path = tmp_path / "v.faiss"
    VectorIndex.build(np.arange(20), unit(20)).save(path)
    whole = path.read_bytes()
    dice = random.Random(4)
    for place in [0, 1, 8, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(60))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        assert not VectorIndex.verify(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"x",
        lambda data: b"\0" * len(data),
        lambda data: b"XXXX" + data[4:],
        lambda data: data[:-1] + b"\xff",
    ],
)
def test_a_file_that_is_not_whole_is_an_error_and_never_a_crash(tmp_path, damage):
    path = tmp_path / "v.faiss"
    VectorIndex.build(np.arange(20), unit(20)).save(path)
    path.write_bytes(damage(path.read_bytes()))
    assert not VectorIndex.verify(path)
    with pytest.raises(IndexFileError, match=r"v\.faiss"):
        VectorIndex.open(path)


def test_a_wrong_byte_that_faiss_would_believe_is_an_error(tmp_path):
    """All bytes but the vectors': FAISS hangs on some of these, and misreads others."""
    path = tmp_path / "v.faiss"
    VectorIndex.build(np.arange(300), unit(300)).save(path)
    whole = path.read_bytes()
    after_vectors = range(len(whole) - 300 * 8 - 100, len(whole))
    dice = random.Random(5)
    for place in [*range(140), *dice.choices(after_vectors, k=60)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(IndexFileError, match=r"v\.faiss .* Delete it and build it again\."):
            VectorIndex.open(path)


def test_a_missing_file_is_an_error_and_not_verified(tmp_path):
    assert not VectorIndex.verify(tmp_path / "nowhere")
    with pytest.raises(IndexFileError, match=r"nowhere cannot be read \(No such file"):
        VectorIndex.open(tmp_path / "nowhere")


def test_a_save_that_fails_leaves_what_stood_there_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "v.faiss"
    VectorIndex.build(np.arange(5), unit(5)).save(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("embeddings.index.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        VectorIndex.build(np.arange(9), unit(9)).save(path)
    assert [item.name for item in tmp_path.iterdir()] == ["v.faiss"]
    assert path.read_bytes() == before


def test_a_query_or_ids_of_another_shape_are_refused():
    index = VectorIndex.build(np.arange(5), unit(5))
    with pytest.raises(ValueError, match=r"shape \(3,\) for 16 dimensions"):
        index.search(np.ones(3, np.float32), 1)
    with pytest.raises(ValueError, match="4 ids for vectors"):
        VectorIndex.build(np.arange(4), unit(5))
