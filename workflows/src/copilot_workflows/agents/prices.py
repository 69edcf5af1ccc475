"""What models cost: the price of a token by the model's name, and what a call may come to.

Prices come from the tables of `genai-prices`, which Pydantic AI itself uses; they are a snapshot of
the providers' price lists that is updated by updating the package, never over the network. A
setting (`COPILOT_MODEL_PRICES`) goes before them: for a model that they do not know, for prices of
a contract, and with 0 for a model on a machine of one's own.

A model whose price nobody knows is refused at the start: a limit of money that cannot be kept would
be none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Final

from genai_prices import Usage, calc_price
from pydantic import Field
from pydantic_ai.models import parse_model_id

from copilot_core.errors import Rejected
from copilot_core.values import Model
from copilot_workflows.agents.requests import NO_MODEL, CallLimits

MAX_OUTPUT_TOKENS: Final = 4_000
"""Of one request: twice what a long explanation with its claims takes."""
_MTOK: Final = 1_000_000

Usd = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]


class Price(Model):
    """US dollars for a million tokens."""

    input: Usd
    output: Usd

    def micro_usd(self, *, input_tokens: int, output_tokens: int) -> int:
        """What so many tokens cost, in millionths of a dollar, rounded up."""
        cost = self.input * input_tokens + self.output * output_tokens
        return int(cost.to_integral_value(ROUND_CEILING))


FREE: Final = Price(input=Decimal(0), output=Decimal(0))
_FREE_NAMES: Final = ("test", NO_MODEL)


def price_of(name: str, given: Mapping[str, Price]) -> Price:
    """The price of a model. Raises `Rejected` (code `settings`) when nobody knows it."""
    if name in given:
        return given[name]
    if name in _FREE_NAMES:
        return FREE
    provider, model = parse_model_id(name)
    try:
        found = calc_price(
            Usage(input_tokens=_MTOK, output_tokens=_MTOK), model, provider_id=provider
        )
    except LookupError as e:
        raise Rejected(
            f"nobody knows what the model {name!r} costs",
            code="settings",
            where="COPILOT_MODEL_PRICES",
            todo=f'set COPILOT_MODEL_PRICES=\'{{"{name}": {{"input": 0, "output": 0}}}}\' with its'
            " price in US dollars for a million tokens",
        ) from e
    return Price(input=_cents(found.input_price), output=_cents(found.output_price))


def at_most(limits: CallLimits, *prices: Price) -> int:
    """What a call may cost at the most, in millionths of a dollar: every request answers as much
    as it may, the rest of the tokens is read, and the dearest model does it all."""
    output = min(limits.requests * MAX_OUTPUT_TOKENS, limits.tokens)
    return max(
        price.micro_usd(input_tokens=limits.tokens - output, output_tokens=output)
        for price in prices
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.000001"))
