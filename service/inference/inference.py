"""A request answered: found, checked, run, and written as the protocol has it."""

import logging
from typing import Any

from service.inference.refusal import InferenceRefusal
from service.inference.shelf import Found, Shelf
from service.inference.tensors import output_document, read_inputs, read_request, wanted_outputs

_log = logging.getLogger(__name__)


def metadata(found: Found) -> dict[str, Any]:
    """The protocol's ``metadata_model_response``."""
    model = found.model
    return {
        "name": found.name,
        "versions": list(found.versions),
        "platform": model.platform,
        "inputs": [spec.document() for spec in model.inputs],
        "outputs": [spec.document() for spec in model.outputs],
        "properties": {**model.properties, "version": found.version},
    }


def infer(shelf: Shelf, name: str, version: str | None, body: bytes) -> dict[str, Any]:
    """The protocol's ``inference_response``.

    Raises:
        InferenceRefusal: 400 with what does not fit, 404, 503, or 500: the model broke.
    """
    found = shelf.find(name, version)
    request = read_request(body)
    fed = read_inputs(request.inputs, found.model.inputs)
    wanted = wanted_outputs(request.outputs, found.model.outputs)
    try:
        given = found.model.run(fed)
    except InferenceRefusal:
        raise
    except Exception as error:
        _log.exception("model %s version %s failed on an inference request", name, found.version)
        raise InferenceRefusal(
            500, f"the model failed ({type(error).__name__}); the log has the cause"
        ) from error
    told: dict[str, Any] = {"model_name": found.name, "model_version": found.version}
    if request.id is not None:
        told["id"] = request.id
    return {**told, "outputs": [output_document(one, given[one]) for one in wanted]}
