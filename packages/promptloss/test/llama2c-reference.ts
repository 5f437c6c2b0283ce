// What llama2.c's run.c computes, written out one number after another in float64: the slow reference that imported
// checkpoints are held to.

/** Logits after each of the ids, [ids, vocabulary], of a checkpoint of the first version. */
export function runChecked(bytes: Uint8Array, ids: readonly number[]): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, mlp, layers, heads, keyHeads, signed, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  ) as [number, number, number, number, number, number, number];
  const vocabulary = Math.abs(signed);
  const head = width / heads;
  const keyWidth = head * keyHeads;
  let at = 28;
  const take = (count: number): number[] => {
    const values = Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
    at += 4 * count;
    return values;
  };
  const each = (count: number): number[][] => Array.from({ length: layers }, () => take(count));
  const embedding = take(vocabulary * width);
  const attentionNorm = each(width);
  const [wq, wk, wv] = [each(width * width), each(keyWidth * width), each(keyWidth * width)];
  const wo = each(width * width);
  const mlpNorm = each(width);
  const [w1, w2, w3] = [each(mlp * width), each(width * mlp), each(mlp * width)];
  const finalNorm = take(width);
  take(context * head);
  const classifier = signed > 0 ? embedding : take(vocabulary * width);

  const keys: number[][][] = Array.from({ length: layers }, () => []);
  const values: number[][][] = Array.from({ length: layers }, () => []);
  return ids.map((id, position) => {
    let x = embedding.slice(id * width, (id + 1) * width);
    for (let layer = 0; layer < layers; layer++) {
      const normed = rmsNorm(x, attentionNorm[layer]!);
      const query = turned(times(wq[layer]!, normed), head, position);
      keys[layer]!.push(turned(times(wk[layer]!, normed), head, position));
      values[layer]!.push(times(wv[layer]!, normed));
      const attended = Array.from({ length: heads }, (_, h) => {
        const group = Math.floor(h / (heads / keyHeads)) * head;
        const own = query.slice(h * head, (h + 1) * head);
        const scores = keys[layer]!.map((key) => dot(own, key.slice(group, group + head)) / Math.sqrt(head));
        const shares = softmax(scores);
        return own.map((_, i) =>
          dot(
            shares,
            values[layer]!.map((value) => value[group + i]!),
          ),
        );
      }).flat();
      x = plus(x, times(wo[layer]!, attended));
      const inner = rmsNorm(x, mlpNorm[layer]!);
      const gate = times(w1[layer]!, inner).map((value) => value / (1 + Math.exp(-value)));
      const up = times(w3[layer]!, inner);
      x = plus(
        x,
        times(
          w2[layer]!,
          gate.map((value, i) => value * up[i]!),
        ),
      );
    }
    return times(classifier, rmsNorm(x, finalNorm));
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

/** A matrix, rows end to end, times a vector. */
function times(matrix: readonly number[], x: readonly number[]): number[] {
  return Array.from({ length: matrix.length / x.length }, (_, row) =>
    dot(x, matrix.slice(row * x.length, (row + 1) * x.length)),
  );
}

function rmsNorm(x: readonly number[], weight: readonly number[]): number[] {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + 1e-5);
  return x.map((value, i) => value * scale * weight[i]!);
}

function softmax(x: readonly number[]): number[] {
  const powers = x.map((value) => Math.exp(value - Math.max(...x)));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** Neighboring elements of each head turned by one angle. */
function turned(x: readonly number[], head: number, position: number): number[] {
  return x.map((value, i) => {
    const element = i % head;
    const angle = position / 10000 ** ((element - (element % 2)) / head);
    const partner = element % 2 === 0 ? -x[i + 1]! : x[i - 1]!;
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}
