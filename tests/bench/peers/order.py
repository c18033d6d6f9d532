"""The model of all HTTP peers: fifteen fields with the rules of lab.bench.v1.Order."""
# The frameworks read the annotations at run time.

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

_Text = Annotated[str, Field(min_length=1, max_length=64)]


class Order(BaseModel):
    """What is sent, checked, and given back."""

    id: Annotated[int, Field(gt=0)]
    number: Annotated[str, Field(pattern=r"^[A-Z]{2}-[0-9]{6}$")]
    customer: _Text
    email: Annotated[
        str, Field(pattern=r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$")
    ]
    phone: Annotated[str, Field(pattern=r"^\+?[0-9]{6,15}$")]
    street: Annotated[str, Field(min_length=1, max_length=128)]
    city: _Text
    country: Annotated[str, Field(min_length=2, max_length=2)]
    currency: Literal["CNY", "EUR", "USD"]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price: Annotated[float, Field(ge=0, le=1_000_000)]
    discount: float = 0.0
    express: bool = False
    tags: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=32)]], Field(max_length=8)
    ] = []
    shop: Annotated[str, Field(min_length=1, max_length=32)]

    @model_validator(mode="after")
    def _tags_are_unique_and_discount_fits(self) -> Self:
        if len(set(self.tags)) != len(self.tags):
            raise ValueError("tags must be unique")
        if self.discount > self.price:
            raise ValueError("a discount is not more than the price")
        return self
