"""AWS's own linters have nothing to say about what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dojang.entry.layer import Arch, Target
from dojang.entry.template import Resources, migrating, policy, running


def _cfn_lint(file: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--", file],
        cwd=file.parent, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "target", [Target("3.12", Arch.X86_64), Target("3.13", Arch.ARM64), Target("3.14", Arch.ARM64)], ids=str
)
def test_cfn_lint_is_content(write: Callable[[Path, Target], Path], target: Target, tmp_path: Path) -> None:
    """No error, no warning, no remark, and nothing is switched off."""
    file = write(tmp_path, target) / "template.yaml"

    assert (0, "") == _cfn_lint(file)
    assert "cfn-lint" not in file.read_text()
    assert not (tmp_path / ".cfnlintrc").exists()


@pytest.mark.slow
def test_cfn_lint_would_say_something(folder: Path, tmp_path: Path) -> None:
    """The check can fail: an attribute that no table has is found."""
    file = tmp_path / "template.yaml"
    text = (folder / "template.yaml").read_text()
    file.write_text(text.replace("BillingMode: PAY_PER_REQUEST", "BillingMode: FREE"))

    code, said = _cfn_lint(file)

    assert code != 0
    assert "'FREE' is not one of" in said


@pytest.mark.slow
def test_the_policy_is_one_that_iam_takes(tmp_path: Path) -> None:
    """Put into a template, it is a policy document by cfn-lint's schema of them."""
    resources = Resources.named(
        table="orders",
        region="*",
        account="111122223333",
        secret="shop",
        function="dojang",
        deliver_to="arn:aws:events:ap-northeast-2:111122223333:event-bus/orders",
    )
    document = policy([*running(resources), *migrating(resources)])
    template = {
        "Resources": {
            "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
        }
    }
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))

    assert (0, "") == _cfn_lint(file)


@pytest.mark.slow
def test_sam_validates_it(sam: Path, folder: Path) -> None:
    """`sam validate --lint`: the application can be transformed, and the result linted."""
    done = subprocess.run(
        [sam / "sam", "validate", "--lint", "--region", "ap-northeast-2"],
        cwd=folder,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout
