// What c10d/ProcessGroupGloo.hpp names of Gloo. libtorch has Gloo inside and ships without its headers; the header holds
// these types by pointers only, so that their layout does not matter, and nothing here is ever called.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace transport {

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};

}  // namespace transport
}  // namespace gloo
