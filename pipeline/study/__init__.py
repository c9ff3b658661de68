"""The questions put to the data; a new one is one file here, one YAML of the same name, one entry below."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "all_rows": "AllRows",
        "evaluate": "Evaluate",
        "coverage": "Coverage",
        "battery": "Battery",
        "landscape": "Landscape",
        "compare": "Compare",
        "gate": "Gate",
        "gradient_noise": "GradientNoise",
        "train": "Train",
        "until": "Until",
        "label": "Label",
        "plan": "PlanStudy",
        "designs": "Designs",
        "predict": "Predict",
        "trend": "Trend",
    },
)
