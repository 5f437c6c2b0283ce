// The names of number formats that recipes, studies and flags give, said once.

/** Of a model's weights. */
export const WEIGHT_DTYPES = ["float32", "bfloat16", "float16"] as const;
export type WeightDtype = (typeof WEIGHT_DTYPES)[number];

/** Of matrix products in training and in measuring a loss: all else is float32 there. */
export const PRODUCT_DTYPES = ["float32", "bfloat16"] as const;
export type ProductDtype = (typeof PRODUCT_DTYPES)[number];
