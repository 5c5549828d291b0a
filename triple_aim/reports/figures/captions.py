"""The texts of figures in Dutch and English.

Not here: titles and units, which marts hold in both languages, or translated reasons (``translations``).
"""

from __future__ import annotations

from triple_aim.reports import Language

WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "better": "beter dan de rest van Nederland",
        "worse": "slechter dan de rest van Nederland",
        "higher": "hoger dan de rest van Nederland",
        "lower": "lager dan de rest van Nederland",
        "no_demonstrable_difference": "geen aantoonbaar verschil",
        "not_compared": "niet vergeleken",
        "rest": "rest van Nederland",
        "nl": "Nederland",
        "years": "jaar",
        "break": "trendbreuk",
        "missing": "niet beschikbaar",
        "provisional": "voorlopig (open)",
        "interval": "streepjes: betrouwbaarheidsinterval",
        "source": "bron",
        "release": "uitgave",
        "municipality": "gemeenten",
        "ggd_region": "GGD-regio's",
        "zorgkantoor_region": "zorgkantoorregio's",
        "corop_region": "COROP-gebieden",
        "province": "provincies",
        "denominator": "noemer",
        "number": "aantal",
        "expected": "verwacht aantal",
        "logarithmic": "logaritmische schaal",
        "within": "binnen de 99,8%-grenzen",
        "above": "boven de 99,8%-grens",
        "below": "onder de 99,8%-grens",
        "favourable": "gunstig",
        "unfavourable": "ongunstig",
        "limits_95": "95%-grenzen",
        "limits_998": "99,8%-grenzen",
        "by_chance": (
            "Grenzen: waartussen 95% en 99,8% van de {regions} zou liggen als zij alleen door toeval van Nederland "
            "verschilden ({family}). Tellen mensen meermaals mee, dan zijn ze te nauw."
        ),
        "overdispersed": (
            "Grenzen: verruimd voor overdispersie ({family}; additief model van Spiegelhalter), omdat de {regions} "
            "meer verschillen dan toeval verklaart en één persoon meermaals kan meetellen."
        ),
        "poisson": "Poissonverdeling",
        "binomial": "binomiale verdeling",
        "spread": "Spreiding tussen de {regions}: φ = {phi} (1: niet meer dan toeval).",
        "named": "{outside} {regions} buiten de 99,8%-grenzen; de verste {named} met naam.",
        "hidden": "{hidden} van {all} {regions} niet getoond: onderdrukt of zonder waarde.",
        "centre": "gemiddelde",
        "process_limits": "procesgrenzen",
        "common_cause": "gewone variatie",
        "improvement": "bijzondere oorzaak, gunstig",
        "concern": "bijzondere oorzaak, ongunstig",
        "special_cause": "bijzondere oorzaak",
        "rules": (
            "Bijzondere oorzaak (Making Data Count): een punt buiten de grenzen; zeven op rij aan één kant van het "
            "gemiddelde; zeven op rij die stijgen, of dalen; twee van drie dicht bij een grens. De kant van het "
            "gemiddelde bepaalt het oordeel."
        ),
        "few_years": "{years} jaren: onder de {enough} zijn de grenzen een eerste schatting.",
        "across_breaks": "Trendbreuk: een sprong daar kan van de meting komen; de grenzen gaan over alle jaren.",
    },
    "en": {
        "better": "better than the rest of the Netherlands",
        "worse": "worse than the rest of the Netherlands",
        "higher": "higher than the rest of the Netherlands",
        "lower": "lower than the rest of the Netherlands",
        "no_demonstrable_difference": "no demonstrable difference",
        "not_compared": "not compared",
        "rest": "rest of the Netherlands",
        "nl": "Netherlands",
        "years": "years",
        "break": "series break",
        "missing": "not available",
        "provisional": "provisional (open)",
        "interval": "whiskers: confidence interval",
        "source": "source",
        "release": "release",
        "municipality": "municipalities",
        "ggd_region": "GGD regions",
        "zorgkantoor_region": "zorgkantoor regions",
        "corop_region": "COROP areas",
        "province": "provinces",
        "denominator": "denominator",
        "number": "number of",
        "expected": "expected number",
        "logarithmic": "logarithmic scale",
        "within": "within the 99.8% limits",
        "above": "above the 99.8% limit",
        "below": "below the 99.8% limit",
        "favourable": "favourable",
        "unfavourable": "unfavourable",
        "limits_95": "95% limits",
        "limits_998": "99.8% limits",
        "by_chance": (
            "Limits: between which 95% and 99.8% of the {regions} would fall if they differed from the Netherlands by "
            "chance alone ({family}). Where persons count more than once, they are too narrow."
        ),
        "overdispersed": (
            "Limits: widened for overdispersion ({family}; Spiegelhalter's additive model), since the {regions} differ "
            "more than chance explains and one person may count more than once."
        ),
        "poisson": "Poisson distribution",
        "binomial": "binomial distribution",
        "spread": "Spread of the {regions}: φ = {phi} (1: no more than chance).",
        "named": "{outside} {regions} outside the 99.8% limits; the farthest {named} are named.",
        "hidden": "{hidden} of {all} {regions} not shown: suppressed or without a value.",
        "centre": "mean",
        "process_limits": "process limits",
        "common_cause": "common cause variation",
        "improvement": "special cause, improvement",
        "concern": "special cause, concern",
        "special_cause": "special cause",
        "rules": (
            "Special cause (Making Data Count): a point outside the limits; seven in a row on one side of the mean; "
            "seven in a row that rise, or fall; two of three close to a limit. The side of the mean decides which kind."
        ),
        "few_years": "{years} years: below {enough} the limits are a first estimate.",
        "across_breaks": "Series break: a jump there may come from the measurement; the limits are over all years.",
    },
}
