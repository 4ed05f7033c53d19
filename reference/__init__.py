"""The reference implementation's side: the old stack's environment, golden files made in it, its benchmark worker.

`seeded` and `scenes` need numpy only and run under every Python and numpy of both sides; the tests import them to
build the inputs that the golden files were made from. The rest runs in the environment that install.sh builds.
"""
