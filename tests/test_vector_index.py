import errno
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import IndexFileError
from embeddings.index import VectorIndex
from embeddings.learning import Effort

SIZE = 16


def unit(rows, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((rows, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)  # as a library keeps them


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


id_sets = st.none() | st.sets(st.integers(0, 150), max_size=80)


KINDS = ("every row", "lists", "one list")


def made(kind, ids, vectors):
    """An index of a kind that its size would not call for, which looks at all that it can."""
    if kind == "every row":
        return VectorIndex.build(ids, vectors)
    with pytest.MonkeyPatch.context() as patch:
        if kind == "one list":
            patch.setattr("embeddings.learning._MOST_LISTS", 0)
        index = VectorIndex.build(ids, vectors, large=40)
    if index.effort:
        index.effort = Effort(len(ids), len(ids))
    return index


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("few", [0, 20_000])
@settings(max_examples=30)
@given(
    rows=st.integers(0, 120),
    k=st.integers(1, 160),
    allowed=id_sets,
    without=id_sets,
    seed=st.integers(0, 99),
)
def test_search_is_what_brute_force_finds(kind, *, few, rows, k, allowed, without, seed):
    vectors = unit(rows, seed)
    ids = np.random.default_rng(seed).permutation(150)[:rows].astype(np.int64)
    query = unit(1, seed + 1)[0]
    index = made(kind, ids, vectors)
    filters = {
        name: None if chosen is None else np.array(sorted(chosen), dtype=np.int64)
        for name, chosen in (("allowed", allowed), ("without", without))
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("embeddings.index._FEW", few)
        found, scores = index.search(query, k, **filters)
    expected_ids, expected_scores = brute_force(
        ids, vectors, query, k, allowed=allowed, without=without
    )
    assert found.tolist() == expected_ids
    assert np.allclose(scores, expected_scores, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_scores_are_ordered_by_id(kind):
    index = made(kind, np.arange(99, 49, -1), np.repeat(unit(1), 50, axis=0))
    assert index.search(unit(1)[0], 3)[0].tolist() == [50, 51, 52]


@given(st.permutations(range(12)), st.integers(1, 12), st.integers(1, 3))
def test_of_equal_scores_at_the_last_place_the_least_ids_are_kept(order, k, kinds):
    vectors = np.eye(SIZE, dtype=np.float32)[[row % kinds for row in order]]
    found, _ = VectorIndex.build(np.array(order), vectors).search(vectors[order.index(0)], k)
    assert found.tolist() == sorted(range(12), key=lambda row: (row % kinds != 0, row))[:k]


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_survives_its_file(kind, tmp_path):
    path = tmp_path / "v.faiss"
    index = made(kind, np.arange(50) * 3, unit(50))
    index.save(path)
    again = VectorIndex.open(path)
    assert VectorIndex.verify(path)
    assert again.effort == index.effort
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_byte_that_faiss_would_believe_is_an_error(kind, tmp_path):
    """FAISS hangs on some of these, and misreads others; only numbers that are compared may err."""
    path = tmp_path / "v.faiss"
    index = made(kind, np.arange(300), unit(300))
    index.save(path)
    whole = path.read_bytes()
    vectors = whole.index(unit(300).astype(np.float16)[:2].tobytes())
    numbers = set(range(vectors, vectors + 300 * SIZE * 2))
    if kind == "lists":
        lists = whole.rindex(b"IxSQ") - 300 * (SIZE // 8 + 8 + 8)
        centroids = whole.index(b"IxFI") + 45
        numbers |= set(range(lists, whole.rindex(b"IxSQ")))
        numbers |= set(range(centroids, centroids + 69 * SIZE * 4))
    believed = sorted(set(range(len(whole))) - numbers)
    dice = random.Random(5)
    for place in [*believed[:140], *dice.choices(believed, k=200)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(IndexFileError, match=r"v\.faiss .* Delete it and build it again\."):
            VectorIndex.open(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_byte_anywhere_is_no_crash(kind, tmp_path):
    path = tmp_path / "v.faiss"
    made(kind, np.arange(300), unit(300)).save(path)
    whole = path.read_bytes()
    dice = random.Random(6)
    opened = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        try:
            index = VectorIndex.open(path)
        except IndexFileError:
            continue
        opened += 1
        for few in (0, 20_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("embeddings.index._FEW", few)
                ids, _ = index.search(unit(1)[0], 20)
        assert set(ids.tolist()) <= set(range(300))
    assert opened > 30


def grouped(rows):
    """Groups, as texts have them: the nearest of a row are in few lists."""
    dice = np.random.default_rng(3)
    vectors = unit(200, seed=4)[dice.integers(0, 200, rows)] + dice.normal(0, 0.1, (rows, SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


def test_a_large_index_looks_at_a_part_and_finds_the_nearest():
    vectors = grouped(8000)
    ids = np.arange(8000)
    index = VectorIndex.build(ids, vectors, large=1000)
    assert index.effort.lists < 0.25 * 4 * 8000**0.5
    kept = np.flatnonzero(ids % 2)
    for allowed in (None, ids[::2], ids[:600]):
        found = 0
        for query in vectors[:200:2]:
            wanted, _ = brute_force(ids, vectors, query, 10, allowed=allowed, without=kept)
            hits, _ = index.search(query, 10, allowed=allowed, without=kept)
            found += len(set(wanted) & set(hits.tolist()))
        assert found >= 0.99 * 1000


@pytest.mark.parametrize("rows", [1500, 4000, 9000])
def test_an_index_grows_and_shrinks_by_what_it_has_learnt_before(rows, tmp_path):
    vectors = grouped(9000)
    before = np.sort(np.random.default_rng(1).permutation(6000)[:3000])
    VectorIndex.build(before, vectors[before], large=1000).save(tmp_path / "v.faiss")
    index = VectorIndex.open(tmp_path / "v.faiss")
    ids = np.arange(9000 - rows, 9000)
    grown = VectorIndex.build(ids, vectors[ids], index, large=1000)
    assert grown.learnt == (rows if rows == 9000 else 3000)
    grown.save(tmp_path / "w.faiss")
    again = VectorIndex.open(tmp_path / "w.faiss")
    again.effort = Effort(rows, rows)
    for query in vectors[::1000]:
        wanted, _ = brute_force(ids, vectors[ids], query, 10, allowed=None, without=None)
        assert again.search(query, 10)[0].tolist() == wanted


def test_where_no_few_lists_hold_the_nearest_one_list_is_made():
    """Vectors without groups in many dimensions."""
    dice = np.random.default_rng(3)
    vectors = dice.standard_normal((3000, 96)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = VectorIndex.build(np.arange(3000), vectors, large=1000)
    assert index.effort.lists == 1
    found = 0
    for query in vectors[:50]:
        wanted, _ = brute_force(np.arange(3000), vectors, query, 10, allowed=None, without=None)
        found += len(set(wanted) & set(index.search(query, 10)[0].tolist()))
    assert found >= 0.98 * 500


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

    monkeypatch.setattr("embeddings.sealed.os.fsync", full)
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
