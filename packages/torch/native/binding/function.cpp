// A differentiable function whose forward and backward are JavaScript functions.
#include <torch/csrc/autograd/custom_function.h>

#include "engine.h"
#include "exports.h"

namespace binding {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The JavaScript callbacks, which the graph keeps alive.
//   forward(inputs) → { outputs, saved }     backward(gradients, saved) → (handle | null)[]
//   finish(): after either, once its tensors are held here; JavaScript then frees its own handles
struct Callbacks : torch::CustomClassHolder {
  Instance& instance;
  napi_ref forward = nullptr;
  napi_ref backward = nullptr;
  napi_ref finish = nullptr;

  explicit Callbacks(Instance& instance) : instance(instance) { instance.js_functions += 1; }
  ~Callbacks() override {
    instance.js_functions -= 1;
    for (napi_ref reference : {forward, backward, finish})
      if (reference != nullptr) instance.release_later(reference);
  }
};

napi_value handles(Instance& instance, at::TensorList tensors) {
  napi_value array;
  NODE_API(napi_create_array_with_length(instance.env, tensors.size(), &array));
  for (size_t i = 0; i < tensors.size(); ++i) {
    napi_value handle = tensors[i].defined() ? instance.add_tensor(tensors[i]) : null(instance.env);
    NODE_API(napi_set_element(instance.env, array, static_cast<uint32_t>(i), handle));
  }
  return array;
}

napi_value invoke(Instance& instance, napi_ref callback, size_t count, const napi_value* arguments) {
  napi_env env = instance.env;
  napi_value function;
  napi_value result;
  NODE_API(napi_get_reference_value(env, callback, &function));
  const napi_status status = napi_call_function(env, undefined(env), function, count, arguments, &result);
  if (status == napi_pending_exception) {
    napi_value exception;
    NODE_API(napi_get_and_clear_last_exception(env, &exception));
    // Only an object can be referenced; whatever else was thrown is wrapped to survive the way out.
    if (type_of(env, exception) != napi_object) {
      napi_value text;
      NODE_API(napi_coerce_to_string(env, exception, &text));
      NODE_API(napi_create_error(env, nullptr, text, &exception));
    }
    instance.thrown.set(env, exception);
    throw std::runtime_error("a custom function threw");
  }
  NODE_API(status);
  return result;
}

// Engine frames know std::exception only.
template <typename Body>
void translating(Body body) {
  try {
    body();
  } catch (const JsError& error) {
    throw std::runtime_error(error.message);
  } catch (const PendingJsException&) {
    throw std::runtime_error("Node-API refused while a custom function ran");
  } catch (const std::exception&) {
    throw;
  } catch (...) {
    throw std::runtime_error("an exception of an unknown kind was thrown while a custom function ran");
  }
}

struct JsFunction : torch::autograd::Function<JsFunction> {
  static variable_list forward(AutogradContext* context, at::TensorList inputs,
                               c10::intrusive_ptr<Callbacks> callbacks) {
    variable_list outputs;
    Instance& instance = callbacks->instance;
    translating([&] {
      napi_value argument = handles(instance, inputs);
      napi_value result = invoke(instance, callbacks->forward, 1, &argument);
      napi_value list;
      NODE_API(napi_get_named_property(instance.env, result, "outputs", &list));
      outputs = instance.tensor_list(list, "outputs");
      NODE_API(napi_get_named_property(instance.env, result, "saved", &list));
      context->save_for_backward(instance.tensor_list(list, "saved"));
      invoke(instance, callbacks->finish, 0, nullptr);
    });
    context->saved_data["callbacks"] = c10::IValue::make_capsule(callbacks);
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    auto capsule = context->saved_data["callbacks"].toCapsule();
    auto& callbacks = static_cast<Callbacks&>(*capsule);
    const variable_list saved = context->get_saved_variables();
    variable_list result;
    Instance& instance = callbacks.instance;
    // The engine's thread decides whether a graph of the gradients is recorded; JavaScript's thread follows it.
    const bool grad_enabled = at::GradMode::is_enabled();
    on_js_thread(instance, [&] {
      translating([&] {
        const HandleScope scope(instance.env);
        const at::AutoGradMode mode(grad_enabled);
        napi_value arguments[] = {handles(instance, gradients), handles(instance, saved)};
        result = instance.tensor_list(invoke(instance, callbacks.backward, 2, arguments), "gradients");
        invoke(instance, callbacks.finish, 0, nullptr);
      });
    });
    result.emplace_back();  // the gradient of `callbacks`
    return result;
  }
};

// applyFunction(inputs, forward, backward, finish) → handle[]
napi_value apply_function(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<4> args(env, info);
  const auto inputs = instance.tensor_list(args[0], "inputs");
  auto callbacks = c10::make_intrusive<Callbacks>(instance);
  NODE_API(napi_create_reference(env, args[1], 1, &callbacks->forward));
  NODE_API(napi_create_reference(env, args[2], 1, &callbacks->backward));
  NODE_API(napi_create_reference(env, args[3], 1, &callbacks->finish));
  return handles(instance, JsFunction::apply(at::TensorList(inputs), callbacks));
}

}  // namespace

void export_function(napi_env env, napi_value exports) {
  export_all(env, exports, {{"applyFunction", entry<apply_function>}});
}

}  // namespace binding
