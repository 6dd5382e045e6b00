"""Bodies of the Open Inference Protocol v2 (its ``open_inference_rest.yaml``, by its names)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ServerMetadata(BaseModel):
    """``metadata_server_response``."""

    name: str
    version: str
    extensions: list[str]


class MetadataTensor(BaseModel):
    """``metadata_tensor``; -1 in `shape` is any number."""

    name: str
    datatype: Literal["FP32"]
    shape: list[int]


class ModelMetadata(BaseModel):
    """``metadata_model_response``; `properties` are facts of the card."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[MetadataTensor]
    outputs: list[MetadataTensor]
    properties: dict[str, str]


class RequestInput(BaseModel):
    """``request_input``: `data` is flat in row-major order, or nested as the shape."""

    name: str
    shape: list[int]
    datatype: Literal["FP32"]
    data: list[Any]
    parameters: dict[str, Any] | None = None


class RequestOutput(BaseModel):
    """``request_output``."""

    name: str
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """``inference_request``; without `outputs` all are answered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "1",
                    "inputs": [
                        {"name": "features", "shape": [1, 1, 33], "datatype": "FP32", "data": [0.0] * 33},
                        {"name": "mask", "shape": [1, 1], "datatype": "FP32", "data": [1.0]},
                    ],
                    "outputs": [{"name": "probabilities"}],
                }
            ]
        }
    )

    id: str | None = None
    parameters: dict[str, Any] | None = None
    inputs: list[RequestInput]
    outputs: list[RequestOutput] | None = None


class ResponseOutput(BaseModel):
    """``response_output``."""

    name: str
    shape: list[int]
    datatype: Literal["FP32"]
    data: list[float]


class InferenceResponse(BaseModel):
    """``inference_response``."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[ResponseOutput]


class ServerLive(BaseModel):
    """The API answers."""

    live: bool


class ServerReady(BaseModel):
    """Whether models can be asked."""

    ready: bool


class ModelReady(BaseModel):
    """Whether this model can be asked."""

    name: str
    ready: bool


class InferenceError(BaseModel):
    """The protocol's own form of an error; keys, rights and sizes are told as problem+json, as everywhere."""

    error: str = Field(description="What is wrong, where, and what to do.")
