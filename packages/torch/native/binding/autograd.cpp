// Gradients: requiresGrad, grad, backward, and the thread's modes (grad, autocast).
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/autograd/variable.h>

#include "autocast.h"
#include "convert.h"
#include "engine.h"
#include "exports.h"

namespace binding {
namespace {

using torch::autograd::variable_list;

napi_value requires_grad(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  return make_bool(instance.env, instance.tensor(args[0], "tensor").requires_grad());
}

napi_value set_requires_grad(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  instance.tensor(args[0], "tensor").set_requires_grad(get_bool(instance.env, args[1]));
  return undefined(instance.env);
}

napi_value is_leaf(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  return make_bool(instance.env, instance.tensor(args[0], "tensor").is_leaf());
}

// "torch::autograd::CppNode<a::(anonymous namespace)::Loss>", as nodes of C++ functions are called → "Loss".
std::string short_name(const std::string& name) {
  const bool wrapped = !name.empty() && name.back() == '>';
  const size_t end = wrapped ? name.size() - 1 : name.size();
  const size_t colons = name.rfind("::", end);
  const size_t start = colons == std::string::npos ? 0 : colons + 2;
  return name.substr(start, end - start);
}

napi_value grad_fn(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const auto node = instance.tensor(args[0], "tensor").grad_fn();
  return node == nullptr ? null(instance.env) : make_string(instance.env, short_name(node->name()));
}

napi_value grad(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const at::Tensor& tensor = instance.tensor(args[0], "tensor");
  // Of a tensor inside the graph libtorch has none and prints a warning when asked.
  if (!tensor.is_leaf() && !tensor.retains_grad()) return null(instance.env);
  const at::Tensor gradient = tensor.grad();
  return gradient.defined() ? instance.add_tensor(gradient) : null(instance.env);
}

napi_value set_grad(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  at::Tensor tensor = instance.tensor(args[0], "tensor");
  if (is_nullish(type_of(instance.env, args[1]))) {
    tensor.mutable_grad().reset();
    return undefined(instance.env);
  }
  const at::Tensor& gradient = instance.tensor(args[1], "grad");
  if (!gradient.sizes().equals(tensor.sizes()) || gradient.scalar_type() != tensor.scalar_type() ||
      gradient.device() != tensor.device())
    throw JsError{"argument",
                  "grad: expected " + describe(tensor) + " as the tensor itself, got " + describe(gradient),
                  {{"argument", "grad"}, {"expected", describe(tensor)}, {"received", describe(gradient)}}};
  tensor.mutable_grad() = gradient;
  return undefined(instance.env);
}

// An empty list where JavaScript left it out.
variable_list optional_list(Instance& instance, napi_value value, const char* argument) {
  return is_nullish(type_of(instance.env, value)) ? variable_list() : instance.tensor_list(value, argument);
}

// backward(tensors, gradients | null, retainGraph, createGraph, inputs | null)
napi_value backward(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<5> args(env, info);
  const auto tensors = instance.tensor_list(args[0], "tensors");
  const auto gradients = optional_list(instance, args[1], "gradients");
  const auto inputs = optional_list(instance, args[4], "inputs");
  const bool retain_graph = get_bool(env, args[2]);
  const bool create_graph = get_bool(env, args[3]);
  run_engine(instance, [&] { torch::autograd::backward(tensors, gradients, retain_graph, create_graph, inputs); });
  return undefined(env);
}

// grad(outputs, inputs, gradients | null, retainGraph, createGraph, allowUnused) → (handle | null)[]
napi_value gradients_of(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<6> args(env, info);
  const auto outputs = instance.tensor_list(args[0], "outputs");
  const auto inputs = instance.tensor_list(args[1], "inputs");
  const auto seeds = optional_list(instance, args[2], "gradients");
  const bool retain_graph = get_bool(env, args[3]);
  const bool create_graph = get_bool(env, args[4]);
  const bool allow_unused = get_bool(env, args[5]);
  variable_list result;
  run_engine(instance, [&] {
    result = torch::autograd::grad(outputs, inputs, seeds, retain_graph, create_graph, allow_unused);
  });
  napi_value array;
  NODE_API(napi_create_array_with_length(env, result.size(), &array));
  for (size_t i = 0; i < result.size(); ++i) {
    napi_value element = result[i].defined() ? instance.add_tensor(result[i]) : null(env);
    NODE_API(napi_set_element(env, array, static_cast<uint32_t>(i), element));
  }
  return array;
}

napi_value grad_enabled(Instance& instance, napi_callback_info) {
  return make_bool(instance.env, at::GradMode::is_enabled());
}

// setGradEnabled(enabled) → what it was
napi_value set_grad_enabled(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const bool previous = at::GradMode::is_enabled();
  at::GradMode::set_enabled(get_bool(instance.env, args[0]));
  return make_bool(instance.env, previous);
}

// enterAutocast(device, dtype | null) → the state to give back; a null dtype turns autocast off
napi_value enter_autocast(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<2> args(env, info);
  const at::Device device = to_device(env, args[0]);
  const bool enabled = !is_nullish(type_of(env, args[1]));
  const AutocastState previous = get_autocast(device.type());
  set_autocast(device.type(), {enabled, enabled ? to_dtype(env, args[1]) : previous.dtype});
  at::autocast::increment_nesting();
  napi_value state;
  NODE_API(napi_create_array_with_length(env, 2, &state));
  NODE_API(napi_set_element(env, state, 0, make_bool(env, previous.enabled)));
  NODE_API(napi_set_element(env, state, 1, make_number(env, static_cast<double>(previous.dtype))));
  return state;
}

// exitAutocast(device, state)
napi_value exit_autocast(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<2> args(env, info);
  const at::Device device = to_device(env, args[0]);
  napi_value enabled;
  napi_value dtype;
  NODE_API(napi_get_element(env, args[1], 0, &enabled));
  NODE_API(napi_get_element(env, args[1], 1, &dtype));
  // The cast weights are cached until the outermost autocast ends.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_autocast(device.type(),
               {get_bool(env, enabled), static_cast<at::ScalarType>(static_cast<int>(get_number(env, dtype)))});
  return undefined(env);
}

}  // namespace

void export_autograd(napi_env env, napi_value exports) {
  export_all(env, exports,
             {{"requiresGrad", entry<requires_grad>},
              {"setRequiresGrad", entry<set_requires_grad>},
              {"isLeaf", entry<is_leaf>},
              {"gradFn", entry<grad_fn>},
              {"grad", entry<grad>},
              {"setGrad", entry<set_grad>},
              {"backward", entry<backward>},
              {"gradientsOf", entry<gradients_of>},
              {"gradEnabled", entry<grad_enabled>},
              {"setGradEnabled", entry<set_grad_enabled>},
              {"enterAutocast", entry<enter_autocast>},
              {"exitAutocast", entry<exit_autocast>}});
}

}  // namespace binding
