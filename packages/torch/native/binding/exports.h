// The groups of functions that the addon exports; each is implemented in the file of its name.
#pragma once

#include "instance.h"

namespace binding {

void export_call(napi_env env, napi_value exports);
void export_tensor(napi_env env, napi_value exports);
void export_autograd(napi_env env, napi_value exports);
void export_function(napi_env env, napi_value exports);
void export_runtime(napi_env env, napi_value exports);
void export_profile(napi_env env, napi_value exports);

}  // namespace binding
