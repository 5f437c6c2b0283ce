// Runs the autograd engine so that custom functions written in JavaScript can be called from it.
#pragma once

#include <functional>

#include "instance.h"

namespace binding {

// On the CPU the engine works on the calling thread. Gradients on a GPU are computed on threads of the engine's
// own, which may not enter JavaScript: there the engine runs on a second thread while this one, JavaScript's,
// serves the calls that come from it.
void run_engine(Instance& instance, const std::function<void()>& work);

// Calls `work` on JavaScript's thread and waits for it; from that thread itself it is a plain call.
void on_js_thread(Instance& instance, const std::function<void()>& work);

}  // namespace binding
