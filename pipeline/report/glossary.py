"""The words that a reader of a page may not know, each in a sentence or two."""

from __future__ import annotations

import re

# The words that are explained, by what they look like in a text, and what they mean.
WORDS = {
    "accuracy": (
        r"accurac|acc\.",
        "The share of rows for which the model's first choice is the right class. Differences are given in percentage "
        "points.",
    ),
    "batch, batch size": (
        r"batch|b = \d",
        "Rows that are drawn at random and evaluated together, and how many they are.",
    ),
    "Blaker": (
        r"\bBlaker\b",
        "An interval around a share that in a simple random sample holds it at least as often as it says.",
    ),
    "bootstrap": (r"bootstrap|BCa", "An interval made by drawing from the batch itself again and again."),
    "Brier score": (
        r"brier",
        "The squared distance of the predicted probabilities from the true class; 0 is perfect.",
    ),
    "confidence interval": (
        r"interval|\[[-\d.,]+, ",
        "A range, such as [95.4, 97.6], made so that in the stated share of cases (here often 95 %) it holds the true "
        "value.",
    ),
    "coverage, held": (
        r"coverage|\bheld\b",
        "The share of batches whose interval holds the value of all rows. It should be the confidence that was asked "
        "for.",
    ),
    "design": (
        r"\bdesign|\bsampling\b|strata|systematic|replacement",
        "The rule by which rows are drawn: every row with the same chance, or for example by strata.",
    ),
    "digest": (r"\bdigest\b", "A fingerprint of a content: equal data have the same one."),
    "draw": (r"\bdraws?\b|\bdrawn\b", "One random batch. Many are drawn to see how far their estimates vary."),
    "epoch": (r"\bepochs?\b", "One pass over all training rows."),
    "gained, lost": (r"\bgained\b", "Rows that the other model gets right and this one does not, and the reverse."),
    "gradient": (r"\bgradients?\b", "The direction in which the parameters change the loss most."),
    "Hall": (r"\bHall\b", "An interval around a mean that allows for skewed values, as losses are."),
    "loss": (
        r"\bloss",
        "Cross-entropy: minus the logarithm of the probability that the model gave the right class. Lower is better, "
        "and 0 is perfect.",
    ),
    "McNemar's test": (r"McNemar", "A test of whether more rows turn right than turn wrong than chance explains."),
    "nats": (
        r"\bnats?\b",
        "The unit of the loss: 0.69 nats is a right class that was given a probability of one half.",
    ),
    "Neyman": (r"\bNeyman\b", "More rows are drawn from those strata in which the values differ more."),
    "p value": (
        r"\bp values?\b|\bp [=<] ",
        "How often a difference as large as this one would come up if there were none. Small means: hardly by chance.",
    ),
    "paired test": (r"\bpaired\b", "Two models are compared row by row on the same rows."),
    "pilot": (r"\bpilots?\b", "A small first sample, from which the size of the real one is planned."),
    "points": (r"\bpoints?\b", "Differences of percentages: from 95 % to 96 % is 1 point."),
    "population": (r"\bpopulation|\ball rows\b|rows there are", "All rows that a batch could be drawn from."),
    "power": (r"\bpower\b", "How likely a test is to find a change that is there."),
    "proxy": (r"\bproxy\b", "A guess, before the evaluation, of how hard each row is."),
    "root mean square, rmse": (
        r"root mean square|\brmse\b",
        "The usual size of an error: the errors are squared, averaged, and the root is taken.",
    ),
    "sample of the world": (
        r"sample of the world|world that these rows|superpopulation",
        "These rows are taken for random examples of all that the model may meet, so that even the value of all of "
        "them has an interval.",
    ),
    "score interval": (
        r"\bscore above\b|score interval",
        "The values that the batch does not contradict, given how much batches vary if the value is that one.",
    ),
    "seed": (r"\bseed\b", "The number from which all random choices follow; the same seed gives the same draws."),
    "standard error": (r"standard errors?\b", "How far an estimate usually is from the true value, by theory."),
    "step": (r"\bsteps?\b", "One change of the model's parameters."),
    "strata": (r"\bstrata\b|\bstratified\b", "Groups of like rows, from each of which a part of the batch is drawn."),
    "Student's t": (r"Student's t\b", "The usual interval around a mean; it takes the means of batches for normal."),
    "systematic": (r"\bsystematic\b", "Every k-th row is taken, from a random start."),
    "Tango": (r"\bTango\b", "An interval around the difference of two shares of the same rows."),
    "Wilson": (r"\bWilson\b", "An interval around a share that stays between 0 and 100 %."),
    "±": (r"±", "Before a number: how far off to either side. What kind of distance it is stands with the table."),
}


def used_in(text: str) -> dict[str, str]:
    """Return the words of the glossary that a text uses, and what they mean, in alphabetical order.

    Examples
    --------
    >>> list(used_in("The loss is 0.1 nats."))
    ['loss', 'nats']
    """
    return {word: meaning for word, (seen, meaning) in WORDS.items() if re.search(seen, text, re.IGNORECASE)}
