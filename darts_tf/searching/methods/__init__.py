"""The search methods, by name: one file a method.

A method says how a search differs from DARTS (`method.py` says how to add one).
"""

from darts_tf.registry import Registry
from darts_tf.searching.methods.method import Method
from darts_tf.searching.methods.stage import Stage

__all__ = ["Method", "Stage", "get", "names", "register"]

_REGISTRY: Registry[Method] = Registry(
    "method",
    Method,
    {
        "asap": "darts_tf.searching.methods.asap:Asap",
        "beta_darts": "darts_tf.searching.methods.beta_darts:BetaDarts",
        "darts": "darts_tf.searching.methods.darts:Darts",
        "darts_ada": "darts_tf.searching.methods.darts_ada:DartsAda",
        "darts_minus": "darts_tf.searching.methods.darts_minus:DartsMinus",
        "darts_pt": "darts_tf.searching.methods.darts_pt:DartsPt",
        "drnas": "darts_tf.searching.methods.drnas:Drnas",
        "fair_darts": "darts_tf.searching.methods.fair_darts:FairDarts",
        "gdas": "darts_tf.searching.methods.gdas:Gdas",
        "lambda_darts": "darts_tf.searching.methods.lambda_darts:LambdaDarts",
        "oles": "darts_tf.searching.methods.oles:Oles",
        "p_darts": "darts_tf.searching.methods.p_darts:PDarts",
        "pc_darts": "darts_tf.searching.methods.pc_darts:PcDarts",
        "proxyless_nas": "darts_tf.searching.methods.proxyless_nas:ProxylessNas",
        "random_nas": "darts_tf.searching.methods.random_nas:RandomNas",
        "sdarts_adv": "darts_tf.searching.methods.sdarts_adv:SdartsAdv",
        "sdarts_rs": "darts_tf.searching.methods.sdarts_rs:SdartsRs",
        "sgas": "darts_tf.searching.methods.sgas:Sgas",
        "single_path_nas": "darts_tf.searching.methods.single_path_nas:SinglePathNas",
        "snas": "darts_tf.searching.methods.snas:Snas",
        "xnas": "darts_tf.searching.methods.xnas:Xnas",
    },
)

get = _REGISTRY.get
names = _REGISTRY.names
register = _REGISTRY.register
