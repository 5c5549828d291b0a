"""Our SQL, which is DuckDB's, as Spark reads it: what sqlglot does not mend is mended or refused here, by name.

Not here: running it (``triple_aim.cubes``). Nothing but text goes in and out. What is mended gives the same rows on
both engines; what cannot be said so that both mean the same is refused with the file to mend, never run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import UnsupportedError

from triple_aim.errors import ContentError
from triple_aim.warehouse.sql_files import Query

#: DuckDB divides and averages to doubles, Spark to decimals of a few digits more.
DOUBLE = exp.DataType.build("double")
#: Boundaries crossed in DuckDB, whole units completed in Spark; of days the two agree.
SAME_UNITS = {"DAY"}
#: What each reads differently, and neither says so.
REFUSED: dict[type[exp.Expr], str] = {
    exp.ArrayAgg: "lists have no order in Spark and lose their empty values",
    exp.Mode: "of two values that are equally frequent each engine takes another",
    exp.RegexpReplace: "Spark replaces every match, DuckDB the first",
    exp.ApproxQuantile: "two engines approximate differently",
    exp.ApproxDistinct: "two engines approximate differently",
    exp.Median: "of decimals Spark keeps more digits; use percentile_cont of a double",
    exp.Ln: "of 0 it is minus infinity in DuckDB and empty in Spark",
    exp.Pivot: "Spark wants the values named",
    exp.Anonymous: "sqlglot does not know it and would leave the word as it stands",
}


def to_spark(query: Query, values: Mapping[str, int]) -> str:
    """The statement of a file as Spark reads it, with its parameters filled in and its tables as views."""
    tree = parse_one(query.sql, dialect="duckdb")
    for node in list(tree.walk()):
        if reason := _refusal(node):
            raise ContentError(
                f"{node.sql('duckdb')[:60]} reads differently on Spark: {reason}",
                f"sql/{query.floor}/{query.name}.sql",
                "write it in words that both engines read alike (docs/decisions/0021-spark-connect.md)",
            )
        if mend := MENDED.get(type(node)):
            mend(node)
    for parameter in list(tree.find_all(exp.Placeholder)):
        parameter.replace(exp.Literal.number(int(values[parameter.name])))
    for table in list(tree.find_all(exp.Table)):
        _as_view(table)
    try:
        return tree.sql(dialect="spark", comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise ContentError(
            str(error).splitlines()[0], f"sql/{query.floor}/{query.name}.sql", "write it in words that Spark has too"
        ) from error


def view_name(table: str) -> str:
    """What a table is called in Spark, where a temporary view has no schema."""
    return table.replace(".", "__")


def spark_type(duckdb_type: str) -> str:
    """The same type as Spark names it."""
    if duckdb_type == "HUGEINT":
        return "DECIMAL(38, 0)"
    return exp.DataType.build(duckdb_type, dialect="duckdb").sql(dialect="spark")


def _refusal(node: exp.Expr) -> str | None:
    if isinstance(node, exp.DateDiff) and str(node.args.get("unit") or "DAY").upper() not in SAME_UNITS:
        return "DuckDB counts boundaries, Spark completed units"
    if isinstance(node, exp.Substring) and getattr(node.args.get("start"), "name", "") == "0":
        return "DuckDB begins before the first letter, Spark at it"
    return next((reason for kind, reason in REFUSED.items() if isinstance(node, kind)), None)


def _as_view(table: exp.Table) -> None:
    """``stg.claims`` is the view ``stg__claims``, still called claims by its columns."""
    if not table.db:
        return
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    table.set("this", exp.to_identifier(view_name(f"{table.db}.{table.name}")))
    table.set("db", None)


def _divide_doubles(node: exp.Expr) -> None:
    for side in ("this", "expression"):
        node.set(side, exp.cast(node.args[side], DOUBLE))


def _average_doubles(node: exp.Expr) -> None:
    node.set("this", exp.cast(node.this, DOUBLE))


def _take_exact_percentiles(node: exp.Expr) -> None:
    """``percentile_cont`` would become an approximation, ``quantile_cont`` an error."""
    if isinstance(node, exp.PercentileCont) and not isinstance(node.parent, exp.WithinGroup):
        node.replace(exp.func("percentile", exp.cast(node.this, DOUBLE), node.expression))
    elif isinstance(node.this, exp.PercentileCont):
        ordered = node.expression.find(exp.Ordered)
        node.replace(exp.func("percentile", exp.cast(ordered.this, DOUBLE), node.this.this))


def _join_on_the_first(node: exp.Expr) -> None:
    """``using`` as ``on``: beside another table with such a column Spark finds its unqualified name ambiguous."""
    joins = [join for join in node.args.get("joins") or [] if join.args.get("using")]
    if any(join.side in ("FULL", "RIGHT") for join in joins):
        return
    first, keys = (node.args["from_"].this.alias_or_name if joins else ""), set()
    for join in joins:
        names = [key.name for key in join.args.pop("using")]
        equal = [exp.column(name, first).eq(exp.column(name, join.this.alias_or_name)) for name in names]
        join.set("on", exp.and_(*equal))
        keys |= set(names)
    for column in list(node.find_all(exp.Column)):
        if not column.table and column.name in keys and column.find_ancestor(exp.Select) is node:
            column.set("table", exp.to_identifier(first))


MENDED: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Div: _divide_doubles,
    exp.Avg: _average_doubles,
    exp.WithinGroup: _take_exact_percentiles,
    exp.PercentileCont: _take_exact_percentiles,
    exp.Select: _join_on_the_first,
}
