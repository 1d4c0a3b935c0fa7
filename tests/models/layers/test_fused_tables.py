from models.layers.fused_tables import FusedTable, Reader, fuse


def test_by_hand():
    readers = [
        Reader("user", column=0),
        Reader("age", column=1),
        Reader("item", column=2),
        Reader("user", feature="seen"),
    ]
    tables = {"user": (10, 8), "age": (3, 2), "item": (5, 8), "unread": (4, 1)}
    assert fuse(tables, readers) == (
        FusedTable(8, 1 + 10 + 5, {"user": 1, "item": 11}, (readers[0], readers[2], readers[3])),
        FusedTable(2, 1 + 3, {"age": 1}, (readers[1],)),
    )
