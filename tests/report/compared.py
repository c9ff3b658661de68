"""The figures of one comparison, as a cell has them."""

STEP_1 = {
    "label": "1",
    "population_size": 10_000,
    "loss/difference": -4.92e-4,
    "loss/difference_low": -7.37e-4,
    "loss/difference_high": -2.47e-4,
    "loss/n_for_power": 5079.0,
    "loss/p": 8.5e-5,
    "accuracy/difference": 1e-4,
    "accuracy/difference_low": -8.2e-4,
    "accuracy/difference_high": 1.02e-3,
    "accuracy/n_for_power": 1_648_257.0,
    "accuracy/gained": 11.0,
    "accuracy/lost": 10.0,
    "accuracy/mcnemar_p": 1.0,
}
