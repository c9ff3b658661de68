"""The glossary explains the words that a text uses, shortly, and no others."""

import re

import pytest

from pipeline.report.glossary import WORDS, used_in

# A text of ours in which each word stands.
SAMPLES = {
    "accuracy": "acc. % held",
    "batch, batch size": "horizontal axis: batch size b [rows]",
    "bootstrap": "loss: bootstrap-t",
    "Brier score": "Brier score",
    "confidence interval": "accuracy 96.7 % [95.4, 97.6]",
    "coverage, held": "loss % held",
    "design": "strata by class",
    "digest": "digest of the data",
    "draw": "1,000 draws",
    "epoch": "after 62 epochs",
    "gained, lost": "gained/ lost",
    "gradient": "study/direction=gradient",
    "Hall": "loss: Hall, skewness-corrected",
    "loss": "loss, nats",
    "McNemar's test": "McNemar's exact test",
    "nats": "±0.02 nats",
    "Neyman": "Neyman strata, loss",
    "p value": "the loss (p = 0.03)",
    "paired test": "for a paired test of 80 % power",
    "pilot": "judged by a pilot of 200 rows",
    "points": "±1 point",
    "population": "all rows",
    "power": "with 80 % power",
    "proxy": "the proxy's pass",
    "root mean square, rmse": "root mean square over the draws",
    "sample of the world": "1,000 rows, as a sample of the world",
    "seed": "seed",
    "standard error": "theory: ±1.96 standard errors",
    "step": "step along the direction",
    "strata": "strata by confidence",
    "Student's t": "Student's t on the paired differences",
    "systematic": "systematic as stored",
    "Tango": "Tango's score interval",
    "Blaker": "accuracy: Blaker, 0.95",
    "score interval": "loss: score above, Hall below, 0.95",
    "Wilson": "accuracy: Wilson, 0.95",
    "±": "0.12 ± 0.06",
}


def test_every_word_has_a_sample_in_which_it_is_found():
    assert SAMPLES.keys() == WORDS.keys()
    assert [word for word, text in SAMPLES.items() if word not in used_in(text)] == []


def test_a_text_that_uses_none_of_the_words_has_none_explained():
    assert used_in("A model gave 42 answers on Monday, and the power plant exploded.").keys() <= {"power"}
    assert used_in("") == {}
    assert used_in("The withdrawal of the blossoming Wilsonian drawer.") == {}


@pytest.mark.parametrize("word", WORDS)
def test_a_meaning_is_one_or_two_sentences(word):
    meaning = WORDS[word][1]
    assert meaning.endswith(".")
    assert len(re.findall(r"[.!?](?:\s|$)", meaning)) <= 2


def test_the_words_are_in_alphabetical_order():
    assert list(WORDS) == sorted(WORDS, key=lambda word: (not word[0].isalpha(), word.lower()))
