"""Asks a running service as a stranger does: with NVIDIA's client of the protocol.

``python oip_client.py HOST:PORT KEY MODEL`` reads tensors as JSON on stdin and prints what the client made of
the answers. It needs an older greenlet than ours, so it has an environment of its own: `make oip-client`.
"""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException


def main(url: str, key: str, model: str) -> None:
    """Ask everything that the protocol has, and one thing that must fail."""
    headers = {"Authorization": f"Bearer {key}"}
    client = InferenceServerClient(url)
    given = []
    for one in json.load(sys.stdin):
        tensor = InferInput(one["name"], one["shape"], one["datatype"])
        tensor.set_data_from_numpy(np.array(one["data"], np.float32).reshape(one["shape"]), binary_data=False)
        given.append(tensor)
    answer = client.infer(model, given, request_id="7", headers=headers)
    wanted = [InferRequestedOutput("logits", binary_data=False)]
    one = client.infer(model, given, model_version="1", outputs=wanted, headers=headers)
    try:
        client.infer(model, given[:1], headers=headers)
        refusal = None
    except InferenceServerException as error:
        refusal = error.message()
    told = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model, headers=headers),
        "server": client.get_server_metadata(headers=headers)["name"],
        "inputs": [one["name"] for one in client.get_model_metadata(model, headers=headers)["inputs"]],
        "id": answer.get_response()["id"],
        "outputs": [one["name"] for one in answer.get_response()["outputs"]],
        "logits": answer.as_numpy("logits").tolist(),
        "again": one.as_numpy("logits").tolist(),
        "refusal": refusal,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
