"""The types which may stand in a scikit-learn model's file. This list is ours and fixed.

A file is refused before anything in it is made when it names a type that is not here, also if
the library that reads it would trust the type by default.
"""

from __future__ import annotations

_MODELS = {
    "sklearn.dummy": ("DummyClassifier", "DummyRegressor"),
    "sklearn.ensemble._forest": (
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    ),
    "sklearn.ensemble._gb": ("GradientBoostingClassifier", "GradientBoostingRegressor"),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": (
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    ),
    "sklearn.linear_model._base": ("LinearRegression",),
    "sklearn.linear_model._coordinate_descent": ("ElasticNet", "ElasticNetCV", "Lasso", "LassoCV"),
    "sklearn.linear_model._logistic": ("LogisticRegression", "LogisticRegressionCV"),
    "sklearn.linear_model._quantile": ("QuantileRegressor",),
    "sklearn.linear_model._ridge": ("Ridge", "RidgeCV"),
    "sklearn.tree._classes": (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    ),
}
_PREPARATION = {
    "sklearn.compose._column_transformer": ("ColumnTransformer",),
    "sklearn.impute._base": ("MissingIndicator", "SimpleImputer"),
    "sklearn.pipeline": ("FeatureUnion", "Pipeline"),
    "sklearn.preprocessing._data": (
        "MaxAbsScaler",
        "MinMaxScaler",
        "PolynomialFeatures",
        "PowerTransformer",
        "QuantileTransformer",
        "RobustScaler",
        "StandardScaler",
    ),
    "sklearn.preprocessing._polynomial": ("PolynomialFeatures", "SplineTransformer"),
    "sklearn.preprocessing._discretization": ("KBinsDiscretizer",),
    "sklearn.preprocessing._encoders": ("OneHotEncoder", "OrdinalEncoder"),
    "sklearn.preprocessing._function_transformer": ("FunctionTransformer",),
    "sklearn.preprocessing._label": ("LabelBinarizer", "LabelEncoder"),
    "sklearn.preprocessing._target_encoder": ("TargetEncoder",),
}
_OWN = {
    "undrift.estimators.lightgbm": ("LightGBMClassifier", "LightGBMRegressor"),
    "undrift.estimators.repaired": ("Repaired",),
    "undrift.estimators.linear": ("RowwiseLogistic", "RowwiseRidge"),
    "undrift.estimators.prepare": ("DateParts", "HashedWords", "Missing"),
}
_INSIDE = {
    "sklearn._loss.link": (
        "HalfLogitLink",
        "IdentityLink",
        "Interval",
        "LogLink",
        "LogitLink",
        "MultinomialLogit",
    ),
    "sklearn._loss.loss": (
        "AbsoluteError",
        "ExponentialLoss",
        "HalfBinomialLoss",
        "HalfGammaLoss",
        "HalfMultinomialLoss",
        "HalfPoissonLoss",
        "HalfSquaredError",
        "HuberLoss",
        "PinballLoss",
    ),
    "sklearn._loss._loss": (
        "CyAbsoluteError",
        "CyExponentialLoss",
        "CyHalfBinomialLoss",
        "CyHalfGammaLoss",
        "CyHalfMultinomialLoss",
        "CyHalfPoissonLoss",
        "CyHalfSquaredError",
        "CyHuberLoss",
        "CyPinballLoss",
    ),
    "sklearn.ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.tree._tree": ("Tree",),
    # what a histogram gradient boosting model with categorical features keeps of its own checks
    "sklearn.utils.validation": ("check_array",),
    "functools": ("partial",),
}
_ELEMENTWISE = {
    "numpy": (
        "absolute",
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctanh",
        "cbrt",
        "ceil",
        "cos",
        "cosh",
        "deg2rad",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "floor",
        "isnan",
        "log",
        "log10",
        "log1p",
        "log2",
        "nan_to_num",
        "negative",
        "rad2deg",
        "reciprocal",
        "rint",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "tan",
        "tanh",
        "trunc",
    ),
}
_STANDIN = {"undrift.models.formats.boosters": ("Standin",)}
_VALUES = {
    "builtins": ("bool", "dict", "float", "int", "list", "slice", "str", "tuple"),
    "numpy": (
        "bool",
        "bool_",
        "dtype",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "ndarray",
        "str_",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ),
    "numpy.random._generator": ("Generator",),
    "numpy.random.mtrand": ("RandomState",),
}

TYPES: frozenset[str] = frozenset(
    f"{module}.{name}"
    for group in (_MODELS, _PREPARATION, _OWN, _INSIDE, _ELEMENTWISE, _STANDIN, _VALUES)
    for module, names in group.items()
    for name in names
)
"""Full names of the allowed types."""

FUNCTIONS: frozenset[str] = frozenset(
    {"sklearn.utils.validation.check_array", *(f"numpy.{name}" for name in _ELEMENTWISE["numpy"])}
)
"""Full names of the allowed functions; those of numpy take numbers and give numbers, and do nothing else."""

LOADERS: frozenset[str] = frozenset(
    {
        "DTypeNode",
        "DictNode",
        "FunctionNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "NdArrayNode",
        "ObjectNode",
        "PartialNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SliceNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
"""Kinds of nodes in the schema of a file; those which can name methods or operators are not here."""
