"""Cards of the models this site serves with."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from models.zoo import Card
from service.api.answers import tagged, tagged_page
from service.api.auth import Ctx, guarded
from service.api.documents.models import ModelCard, ModelPage
from service.api.problems import Problem
from service.store.keys import Role

router = APIRouter(tags=["models"])


@router.get("/v1/models", response_model=ModelPage, **guarded(Role.VIEWER))
def read_models(request: Request, context: Ctx) -> Response:
    """Cards of all models on the shelves that this site loads."""
    return tagged_page(request, [card_document(card) for card in context.cards()])


@router.get("/v1/models/{name}", response_model=ModelCard, **guarded(Role.VIEWER))
def read_model(name: Annotated[str, Path(max_length=200)], request: Request, context: Ctx) -> Response:
    """One model's card: what it was trained on, under which licence, and how well it did."""
    for card in context.cards():
        if card.name == name:
            return tagged(request, card_document(card))
    raise Problem("model-not-found", f"no model {name!r} on the shelves {context.settings.models.shelves}")


def card_document(card: Card) -> dict[str, Any]:
    """A card as the API shows it."""
    return {**card.document, "simulated": card.simulated}
