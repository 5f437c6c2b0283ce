// Between JavaScript values and libtorch's boxed values, led by an operator's schema.
#pragma once

#include "instance.h"

namespace binding {

// Throws JsError "argument" with the operator, the argument's name, and what was expected and received.
c10::IValue to_ivalue(Instance& instance, const Operator& op, const ArgumentSpec& spec, napi_value value);

// Tensors become handles, lists arrays, nothing null. A 64-bit integer beyond 2^53 becomes a BigInt object,
// since a plain bigint is a tensor's handle.
napi_value from_ivalue(Instance& instance, const c10::IValue& value);
napi_value from_scalar(napi_env env, const at::Scalar& scalar);
napi_value from_integer(napi_env env, int64_t value);

// A number, bigint or boolean as a scalar: a whole number within 2^53 is an integer, any other a float.
at::Scalar to_scalar(napi_env env, napi_value value);

// Throws JsError "argument".
at::ScalarType to_dtype(napi_env env, napi_value value);
at::Device to_device(napi_env env, napi_value value);
std::vector<int64_t> to_sizes(napi_env env, napi_value array, const char* argument);

}  // namespace binding
