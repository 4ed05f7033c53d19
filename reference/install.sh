#!/usr/bin/env bash
# Builds the old stack in an environment of its own, for comparison only: reference/install.sh [FOLDER]
# FOLDER: where the environment goes; default .reference-env at the repository's root. Run again, it goes on where it
# stopped and does nothing when all is there. MAX_JOBS (default 2) bounds the compilers that run at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../.reference-env}
mmcv=1.7.1

find_python() {  # prints a Python 3.10 that starts: on the PATH, behind pyenv's shims, or among its versions
    local candidate
    for candidate in "${PYTHON310:-}" python3.10 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python3.10; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "reference/install.sh: no Python 3.10 found on the PATH or in pyenv; torch 1.13.1 and mmcv-full $mmcv need" \
         "that one. Install it (pyenv install 3.10) or name it: PYTHON310=/path/to/python3.10 $0" >&2
    return 1
}

if ! [ -x "$folder/bin/python" ]; then
    python=$(find_python)
    "$python" -m venv "$folder"
fi
pip=("$folder/bin/python" -m pip)

"${pip[@]}" install -r "$here/requirements.txt"

# Its setup.py imports torch (hence no isolation) and, on a machine with CUDA's compiler, would build for that (FORCE_CUDA).
# There is no wheel for this pair: about 12 minutes on two cores.
if ! "$folder/bin/python" -c 'from mmcv.ops import multi_scale_deform_attn' 2>/dev/null; then
    MAX_JOBS=${MAX_JOBS:-2} MMCV_WITH_OPS=1 FORCE_CUDA=0 \
        "${pip[@]}" install --no-build-isolation --no-deps --no-binary mmcv-full "mmcv-full==$mmcv"
fi

"$folder/bin/python" - <<'PYTHON'
from modelscope.models.cv.image_human_parsing import M2FP
from modelscope.pipelines.cv.image_human_parsing_pipeline import ImageHumanParsingPipeline

import mmcv
import modelscope
import torch

assert M2FP and ImageHumanParsingPipeline
print(f"reference stack ready: torch {torch.__version__}, mmcv-full {mmcv.__version__}, modelscope {modelscope.__version__}")
PYTHON
