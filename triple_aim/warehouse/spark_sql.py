"""Translates DuckDB SQL to Spark SQL and corrects the differences that sqlglot does not handle.

Not here: running the SQL (``triple_aim.cubes``). A translated statement gives the same rows on both engines. A
statement that cannot be translated so is refused, with the file to correct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import UnsupportedError

from triple_aim.errors import ContentError
from triple_aim.warehouse.sql_files import Query

#: DuckDB returns a double from divisions and averages, Spark a decimal with more digits.
DOUBLE = exp.DataType.build("double")
#: DuckDB counts the boundaries between two dates, Spark the completed units; for days the results are equal.
SAME_UNITS = {"DAY"}
#: Expressions that the engines evaluate differently without an error.
REFUSED: dict[type[exp.Expr], str] = {
    exp.ArrayAgg: "Spark does not order lists and drops their empty values",
    exp.Mode: "of equally frequent values each engine returns a different one",
    exp.RegexpReplace: "Spark replaces every match, DuckDB only the first",
    exp.ApproxQuantile: "two engines approximate differently",
    exp.ApproxDistinct: "two engines approximate differently",
    exp.Median: "Spark keeps more digits of decimals; use percentile_cont of a double",
    exp.Ln: "the logarithm of 0 is minus infinity in DuckDB and empty in Spark",
    exp.Pivot: "Spark needs a list of the values",
    exp.Anonymous: "sqlglot does not know it and would not translate it",
}


def to_spark(query: Query, values: Mapping[str, int]) -> str:
    """The statement of a file in Spark SQL, with values for its parameters and views for its tables."""
    tree = parse_one(query.sql, dialect="duckdb")
    for node in list(tree.walk()):
        if reason := _refusal(node):
            raise ContentError(
                f"{node.sql('duckdb')[:60]} gives another result on Spark: {reason}",
                f"sql/{query.floor}/{query.name}.sql",
                "use SQL that gives the same result on both engines (docs/decisions/0021-spark-connect.md)",
            )
        if rewrite := REWRITES.get(type(node)):
            rewrite(node)
    for parameter in list(tree.find_all(exp.Placeholder)):
        parameter.replace(exp.Literal.number(int(values[parameter.name])))
    for table in list(tree.find_all(exp.Table)):
        _as_view(table)
    try:
        return tree.sql(dialect="spark", comments=False, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise ContentError(
            str(error).splitlines()[0], f"sql/{query.floor}/{query.name}.sql", "use SQL that Spark has too"
        ) from error


def view_name(table: str) -> str:
    """The name of the Spark view for a table; temporary views have no schema."""
    return table.replace(".", "__")


def spark_type(duckdb_type: str) -> str:
    """The name of a DuckDB type in Spark."""
    if duckdb_type == "HUGEINT":
        return "DECIMAL(38, 0)"
    return exp.DataType.build(duckdb_type, dialect="duckdb").sql(dialect="spark")


def _refusal(node: exp.Expr) -> str | None:
    if isinstance(node, exp.DateDiff) and str(node.args.get("unit") or "DAY").upper() not in SAME_UNITS:
        return "DuckDB counts boundaries, Spark counts completed units"
    if isinstance(node, exp.Substring) and getattr(node.args.get("start"), "name", "") == "0":
        return "DuckDB starts before the first character, Spark starts at it"
    return next((reason for kind, reason in REFUSED.items() if isinstance(node, kind)), None)


def _as_view(table: exp.Table) -> None:
    """Replace ``stg.claims`` by the view ``stg__claims`` with the alias claims, which its columns are qualified by."""
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


def _use_exact_percentiles(node: exp.Expr) -> None:
    """Use ``percentile``; sqlglot would make ``percentile_cont`` an approximation and ``quantile_cont`` an error."""
    if isinstance(node, exp.PercentileCont) and not isinstance(node.parent, exp.WithinGroup):
        node.replace(exp.func("percentile", exp.cast(node.this, DOUBLE), node.expression))
    elif isinstance(node.this, exp.PercentileCont):
        ordered = node.expression.find(exp.Ordered)
        node.replace(exp.func("percentile", exp.cast(ordered.this, DOUBLE), node.this.this))


def _join_on_the_first(node: exp.Expr) -> None:
    """Replace ``using`` by ``on``, because Spark finds the column ambiguous when another table has it too."""
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


REWRITES: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Div: _divide_doubles,
    exp.Avg: _average_doubles,
    exp.WithinGroup: _use_exact_percentiles,
    exp.PercentileCont: _use_exact_percentiles,
    exp.Select: _join_on_the_first,
}
