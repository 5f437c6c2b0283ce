#include "engine.h"

#include <ATen/Context.h>
#include <ATen/ThreadLocalState.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <thread>

namespace binding {
namespace {

struct Task {
  const std::function<void()>* work;
  std::exception_ptr error;
  bool done = false;
};

// The calls that wait for JavaScript's thread while it serves one run of the engine.
struct Pump {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task*> tasks;
  bool finished = false;
};

std::mutex pumps_mutex;
std::unordered_map<const Instance*, Pump*> pumps;

bool has_gpu() { return at::hasCUDA() || at::hasMPS(); }

std::exception_ptr attempt(const std::function<void()>& work) {
  try {
    work();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// Until the engine is done. What it waits for is answered even where serving one call fails.
void serve(Pump& pump) {
  std::unique_lock<std::mutex> lock(pump.mutex);
  for (;;) {
    pump.changed.wait(lock, [&] { return pump.finished || !pump.tasks.empty(); });
    if (pump.tasks.empty()) return;
    Task* task = pump.tasks.front();
    pump.tasks.pop_front();
    lock.unlock();
    task->error = attempt(*task->work);
    lock.lock();
    task->done = true;
    pump.changed.notify_all();
  }
}

// The pump by which this thread serves its instance, while it lives.
class Registration {
 public:
  Registration(const Instance& instance, Pump& pump) : instance_(instance) {
    std::lock_guard<std::mutex> lock(pumps_mutex);
    first_ = pumps.emplace(&instance, &pump).second;
  }
  ~Registration() {
    if (!first_) return;
    std::lock_guard<std::mutex> lock(pumps_mutex);
    pumps.erase(&instance_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // Whether no pump of the instance runs further out.
  bool first() const { return first_; }

 private:
  const Instance& instance_;
  bool first_;
};

// A thread that is joined wherever its owner's block is left.
class Joined {
 public:
  template <typename Body>
  explicit Joined(Body body) : thread_(std::move(body)) {}
  ~Joined() { thread_.join(); }
  Joined(const Joined&) = delete;
  Joined& operator=(const Joined&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

void run_engine(Instance& instance, const std::function<void()>& work) {
  // PROMPTLOSS_TORCH_ENGINE_THREAD lets the tests take a GPU's path on a machine that has none.
  static const bool threaded = has_gpu() || std::getenv("PROMPTLOSS_TORCH_ENGINE_THREAD") != nullptr;
  if (!threaded || instance.js_functions == 0) return work();

  Pump pump;
  const Registration registration(instance, pump);
  // A custom function that itself asks for gradients is served by the pump that already runs.
  if (!registration.first()) return work();
  std::exception_ptr error;
  const at::ThreadLocalState state;
  {
    const Joined engine([&] {
      error = attempt([&] {
        const at::ThreadLocalStateGuard guard(state);
        work();
      });
      std::lock_guard<std::mutex> lock(pump.mutex);
      pump.finished = true;
      pump.changed.notify_all();
    });
    serve(pump);
  }
  if (error) std::rethrow_exception(error);
}

void on_js_thread(Instance& instance, const std::function<void()>& work) {
  if (std::this_thread::get_id() == instance.thread) return work();
  Pump* pump = nullptr;
  {
    std::lock_guard<std::mutex> lock(pumps_mutex);
    const auto found = pumps.find(&instance);
    if (found != pumps.end()) pump = found->second;
  }
  if (pump == nullptr) throw std::runtime_error("a custom function was called from a thread that can't reach JavaScript");
  Task task{&work, nullptr};
  std::unique_lock<std::mutex> lock(pump->mutex);
  pump->tasks.push_back(&task);
  pump->changed.notify_all();
  pump->changed.wait(lock, [&] { return task.done; });
  if (task.error) std::rethrow_exception(task.error);
}

}  // namespace binding
