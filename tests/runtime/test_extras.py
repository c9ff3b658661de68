"""What is missing is installed by a command that works where the program runs."""

from importlib import metadata

import pytest

from pipeline.runtime import extras


@pytest.fixture
def installed(monkeypatch):
    """The program as a package: there is no checkout, and its metadata are those of the wheel."""
    monkeypatch.setattr(extras.files, "checkout", lambda: None)


def test_in_a_checkout_the_make_target_installs_it():
    assert extras.advice("torch") == "make setup-extras"


def test_an_installed_package_names_the_libraries_and_not_itself(installed):
    assert extras.advice("onnx") == "pip install 'onnxruntime>=1.22'"
    assert "batchscope" not in extras.advice("joblib")
    assert "hydra-joblib-launcher" in extras.advice("joblib")


def test_of_pytorch_the_build_without_cuda_is_named(installed):
    assert extras.advice("torch").startswith(
        "pip install 'torch>=2.10' --index-url https://download.pytorch.org/whl/cpu"
    )


def test_without_metadata_the_extras_own_name_stands_in(installed, monkeypatch):
    def none(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", none)
    assert extras.advice("joblib") == "pip install joblib"
