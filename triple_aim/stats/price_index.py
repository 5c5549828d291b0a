"""Index numbers: which part of a change in value is price and which part is volume.

Belongs here: bilateral indices over products and their chaining. Not here: published price indices (``reference/``),
amounts in constant prices (``growth.deflate``) and the parts of a change in euros (``decomposition``).

Products are the last axis. A product is *absent* from a period when its quantity is 0 and it has no price (nan). New
and vanished products have no price to compare: the default ``"withhold"`` gives nan, ``"matched"`` uses the products of
both periods only, in every index and in the value ratio alike. A price of nan for a sold product, or a quantity of nan,
is missing: the index is nan under both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Floats

Indexed = Literal["price", "volume"]
Absent = Literal["withhold", "matched"]


class _Values(NamedTuple):
    """Sums over products of a price of one period times a quantity of one period: price first, then quantity."""

    start_start: Floats
    start_end: Floats
    end_start: Floats
    end_end: Floats


def laspeyres(
    price_start: ArrayLike,
    price_end: ArrayLike,
    quantity_start: ArrayLike,
    quantity_end: ArrayLike,
    *,
    of: Indexed = "price",
    absent: Absent = "withhold",
) -> Floats:
    """Return the index with weights of the start: what the old basket costs now.

    Formula: price ``sum p1 q0 / sum p0 q0``; volume ``sum p0 q1 / sum p0 q0``.

    Parameters
    ----------
    price_start, price_end, quantity_start, quantity_end : array_like, broadcastable, products on the last axis
        Price per unit and number of units in the two periods.
    of : {"price", "volume"}
        Which of the two is indexed.
    absent : {"withhold", "matched"}
        Treatment of new and vanished products; see the module's docstring.

    Returns
    -------
    ndarray
        Leading shape, start = 1; nan where it cannot be computed.

    Raises
    ------
    ValueError
        For a negative price or quantity, no axis of products, an unknown option, or shapes that do not fit.

    References
    ----------
    ILO et al. (2004). Consumer price index manual: theory and practice, chapter 15.

    Examples
    --------
    >>> laspeyres([1.0, 2.0], [2.0, 2.0], [5.0, 5.0], [1.0, 9.0]).round(4).item()
    1.3333
    """
    values = _values(price_start, price_end, quantity_start, quantity_end, absent)
    return quotient(values.end_start if _is_price(of) else values.start_end, values.start_start)


def paasche(
    price_start: ArrayLike,
    price_end: ArrayLike,
    quantity_start: ArrayLike,
    quantity_end: ArrayLike,
    *,
    of: Indexed = "price",
    absent: Absent = "withhold",
) -> Floats:
    """Return the index with weights of the end: what the current basket costs compared with the start.

    Formula: price ``sum p1 q1 / sum p0 q1``; volume ``sum p1 q1 / sum p1 q0``. Laspeyres price times Paasche
    volume, and Paasche price times Laspeyres volume, are the value ratio.
    Parameters, returns, raises and references as :func:`laspeyres`.

    Examples
    --------
    >>> paasche([1.0, 2.0], [2.0, 2.0], [5.0, 5.0], [1.0, 9.0]).round(4).item()
    1.0526
    """
    values = _values(price_start, price_end, quantity_start, quantity_end, absent)
    return quotient(values.end_end, values.start_end if _is_price(of) else values.end_start)


def fisher(
    price_start: ArrayLike,
    price_end: ArrayLike,
    quantity_start: ArrayLike,
    quantity_end: ArrayLike,
    *,
    of: Indexed = "price",
    absent: Absent = "withhold",
) -> Floats:
    """Return the geometric mean of Laspeyres and Paasche, which treats both periods alike.

    Formula: ``sqrt(Laspeyres Paasche)``; Fisher price times Fisher volume is the value ratio.
    Parameters, returns and raises as :func:`laspeyres`.

    References
    ----------
    Fisher I (1922). The making of index numbers. Houghton Mifflin.

    Examples
    --------
    >>> fisher([1.0, 2.0], [2.0, 2.0], [5.0, 5.0], [1.0, 9.0]).round(4).item()
    1.1847
    """
    arguments = (price_start, price_end, quantity_start, quantity_end)
    index: Floats = np.sqrt(laspeyres(*arguments, of=of, absent=absent) * paasche(*arguments, of=of, absent=absent))
    return index


def value_ratio(
    price_start: ArrayLike,
    price_end: ArrayLike,
    quantity_start: ArrayLike,
    quantity_end: ArrayLike,
    *,
    absent: Absent = "withhold",
) -> Floats:
    """Return the ratio of values, the product of price and volume index, over the same products as the indices.

    Formula: ``sum p1 q1 / sum p0 q0``. Parameters, returns and raises as :func:`laspeyres`.

    Examples
    --------
    >>> value_ratio([1.0, 2.0], [2.0, 2.0], [5.0, 5.0], [1.0, 9.0]).round(4).item()
    1.3333
    """
    values = _values(price_start, price_end, quantity_start, quantity_end, absent)
    return quotient(values.end_end, values.start_start)


def chained(
    price: ArrayLike,
    quantity: ArrayLike,
    *,
    index: Callable[..., Floats] = fisher,
    of: Indexed = "price",
    absent: Absent = "withhold",
) -> Floats:
    """Link the indices of consecutive years into one series, so that weights are never more than a year old.

    Formula: ``I_0 = 1``, ``I_t = I_(t-1) index(t-1, t)``. Price and volume multiply to the value ratio in each link,
    and so in the chain; with ``"matched"``, without the value of products that are new or vanished in a link.

    Parameters
    ----------
    price, quantity : array_like, broadcastable, years on the last axis but one, products on the last
        Consecutive years.
    index : callable
        :func:`laspeyres`, :func:`paasche` or :func:`fisher`.
    of, absent
        As :func:`laspeyres`; ``absent`` is applied to each link, so a product may be absent in some years.

    Returns
    -------
    ndarray
        Leading shape and years, first year = 1; a link that is nan makes all later years nan.

    Raises
    ------
    ValueError
        As :func:`laspeyres`, or without an axis of years.

    References
    ----------
    ILO et al. (2004). Consumer price index manual: theory and practice, chapter 15.

    Examples
    --------
    >>> chained([[1.0], [1.1], [1.21]], [[5.0], [4.0], [3.0]]).round(4)
    array([1.  , 1.1 , 1.21])
    """
    price, quantity = broadcast(price=price, quantity=quantity)
    if price.ndim < 2:
        raise ValueError("price and quantity need an axis of years and an axis of products")
    before, after = np.s_[..., :-1, :], np.s_[..., 1:, :]
    links = index(price[before], price[after], quantity[before], quantity[after], of=of, absent=absent)
    return np.cumprod(np.concatenate([np.ones((*links.shape[:-1], 1)), links], axis=-1), axis=-1)


def _values(
    price_start: ArrayLike, price_end: ArrayLike, quantity_start: ArrayLike, quantity_end: ArrayLike, absent: Absent
) -> _Values:
    if absent not in ("withhold", "matched"):
        raise ValueError(f'absent must be "withhold" or "matched", got {absent!r}')
    p0, p1, q0, q1 = broadcast(
        price_start=price_start, price_end=price_end, quantity_start=quantity_start, quantity_end=quantity_end
    )
    if p0.ndim == 0:
        raise ValueError("prices and quantities need an axis of products")
    require_non_negative(price_start=p0, price_end=p1, quantity_start=q0, quantity_end=q1)
    absent_start, absent_end = np.isnan(p0) & (q0 == 0), np.isnan(p1) & (q1 == 0)
    # A product absent from both periods never counts; for one absent from one period, the caller chooses.
    left_out = (absent_start | absent_end) if absent == "matched" else (absent_start & absent_end)
    return _Values(*(np.where(left_out, 0.0, p * q).sum(axis=-1) for p in (p0, p1) for q in (q0, q1)))


def _is_price(of: Indexed) -> bool:
    if of not in ("price", "volume"):
        raise ValueError(f'of must be "price" or "volume", got {of!r}')
    return of == "price"
