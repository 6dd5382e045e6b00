"""Parquet: one row a frame; the channel as two lists of numbers, whose shape is in the schema's metadata."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from service.cli.archive.content import Content


def write(target: Path, content: Content) -> None:
    """Write the table; ``csi_real`` and ``csi_imag`` are float32 lists in C order of the metadata's shape."""
    size = int(np.prod(content.shape))
    columns = {key: _column(array) for key, array in content.arrays.items()}
    values = pa.list_(pa.float32(), size)
    fields = [(key, column.type) for key, column in columns.items()]
    facts = {
        "nic": content.nic,
        "source": content.source,
        "csi_shape": "x".join(map(str, content.shape)),
        "csi_axes": "subcarrier x rx x tx",
        **{key: json.dumps(array.tolist()) for key, array in content.axes.items()},
    }
    schema = pa.schema([*fields, ("csi_real", values), ("csi_imag", values)], metadata=facts)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in _batches(content, columns, size):
            writer.write_batch(pa.record_batch(batch, schema=schema))


def _batches(content: Content, columns: dict[str, Any], size: int) -> Iterator[list[Any]]:
    start = 0
    for piece in content.csi:
        rows = [column.slice(start, len(piece)) for column in columns.values()]
        parts = (np.ascontiguousarray(part).reshape(-1) for part in (piece.real, piece.imag))
        yield rows + [pa.FixedSizeListArray.from_arrays(pa.array(part), size) for part in parts]
        start += len(piece)


def _column(array: npt.NDArray[Any]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A column of one value, or one list, a frame."""
    if array.ndim == 1:
        return pa.array(np.ascontiguousarray(array))
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
