// Which operators ran when and for how long: libtorch tells an observer of each, on whatever thread it runs.
#include <ATen/record_function.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "convert.h"
#include "exports.h"

namespace binding {
namespace {

/** Three numbers of a typed array an event: some 70 MB at most, and then events are counted only. */
constexpr size_t most_events = size_t{3} << 20;

struct Event {
  uint32_t name;
  uint32_t thread;
  int64_t start;
  int64_t duration;
};

int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/** One recording; there is none or one in a process. */
class Recording {
 public:
  void add(const char* name, int64_t start, int64_t end) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (events_.size() >= most_events) {
      ++dropped_;
      return;
    }
    events_.push_back({id_of(names_, name), thread(), start - began_, end - start});
  }

  void write(napi_env env, napi_value result) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> names(names_.size());
    for (const auto& [name, id] : names_) names[id] = name;
    napi_value list;
    NODE_API(napi_create_array_with_length(env, names.size(), &list));
    for (size_t i = 0; i < names.size(); ++i)
      NODE_API(napi_set_element(env, list, static_cast<uint32_t>(i), make_string(env, names[i])));
    set_property(env, result, "names", list);
    void* data;
    napi_value buffer, numbers;
    NODE_API(napi_create_arraybuffer(env, events_.size() * 4 * sizeof(double), &data, &buffer));
    auto* to = static_cast<double*>(data);
    for (const Event& event : events_) {
      const double values[] = {static_cast<double>(event.name), static_cast<double>(event.thread),
                               static_cast<double>(event.start) / 1e3, static_cast<double>(event.duration) / 1e3};
      std::memcpy(to, values, sizeof(values));
      to += 4;
    }
    NODE_API(napi_create_typedarray(env, napi_float64_array, events_.size() * 4, buffer, 0, &numbers));
    set_property(env, result, "events", numbers);
    set_property(env, result, "dropped", make_number(env, static_cast<double>(dropped_)));
  }

 private:
  static uint32_t id_of(std::unordered_map<std::string, uint32_t>& ids, const char* name) {
    return ids.emplace(name, static_cast<uint32_t>(ids.size())).first->second;
  }

  uint32_t thread() {
    const auto id = std::this_thread::get_id();
    return threads_.emplace(id, static_cast<uint32_t>(threads_.size())).first->second;
  }

  std::mutex mutex_;
  std::unordered_map<std::string, uint32_t> names_;
  std::unordered_map<std::thread::id, uint32_t> threads_;
  std::vector<Event> events_;
  size_t dropped_ = 0;
  const int64_t began_ = nanoseconds();
};

std::mutex recording_mutex;
std::shared_ptr<Recording> recording;
at::CallbackHandle callback;

/** What is handed from an operator's start to its end. It keeps the recording alive while the operator runs. */
struct Running : at::ObserverContext {
  Running(std::shared_ptr<Recording> into, int64_t at) : recording(std::move(into)), start(at) {}
  std::shared_ptr<Recording> recording;
  int64_t start;
};

std::unique_ptr<at::ObserverContext> started(const at::RecordFunction&) {
  std::shared_ptr<Recording> into;
  {
    std::lock_guard<std::mutex> lock(recording_mutex);
    into = recording;
  }
  return into == nullptr ? nullptr : std::make_unique<Running>(std::move(into), nanoseconds());
}

void ended(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* running = static_cast<Running*>(context);
  if (running != nullptr) running->recording->add(function.name(), running->start, nanoseconds());
}

napi_value start_profile(Instance& instance, napi_callback_info) {
  std::lock_guard<std::mutex> lock(recording_mutex);
  if (recording != nullptr) throw JsError{"argument", "a profile is being recorded already", {}};
  recording = std::make_shared<Recording>();
  callback = at::addGlobalCallback(at::RecordFunctionCallback(started, ended)
                                       .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  return undefined(instance.env);
}

// stopProfile() → {names, events: [name, thread, start µs, duration µs]…, dropped}
napi_value stop_profile(Instance& instance, napi_callback_info) {
  std::shared_ptr<Recording> done;
  {
    std::lock_guard<std::mutex> lock(recording_mutex);
    if (recording == nullptr) throw JsError{"argument", "no profile is being recorded", {}};
    at::removeCallback(callback);
    done = std::move(recording);
    recording = nullptr;
  }
  napi_value result;
  NODE_API(napi_create_object(instance.env, &result));
  done->write(instance.env, result);
  return result;
}

}  // namespace

void export_profile(napi_env env, napi_value exports) {
  export_all(env, exports, {{"startProfile", entry<start_profile>}, {"stopProfile", entry<stop_profile>}});
}

}  // namespace binding
