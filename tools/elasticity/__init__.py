"""How demand answers price: slopes with product and week effects, controls, and partial pooling."""

from tools.elasticity.estimate import Elasticities, Elasticity
from tools.elasticity.read import estimate_elasticity, shop_elasticities
from tools.elasticity.within import take_out_effects

__all__ = ["Elasticities", "Elasticity", "estimate_elasticity", "shop_elasticities", "take_out_effects"]
