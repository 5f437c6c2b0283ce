// What the processor's bfloat16 units can do, which no product can exceed.
#pragma once

namespace promptloss {

/** Some turns of products with operands in registers. @return their operations */
using Bf16Turn = double (*)();

/** Null where the processor has no such units. */
Bf16Turn bf16_turn();

}  // namespace promptloss
