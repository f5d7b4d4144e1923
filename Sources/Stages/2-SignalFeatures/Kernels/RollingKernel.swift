/// A statistic of a series, kept up value by value without allocation.
///
/// A kernel is a plain value: a copy is a snapshot, and what it answers depends on its inputs alone. Kernels with a window hold
/// it inside, up to a `capacity` fixed by the type.
public protocol RollingKernel: BitwiseCopyable, Sendable {
  /// What comes in at each step.
  associatedtype Input
  /// What is known after it.
  associatedtype Value

  /// Takes in the next input.
  mutating func update(_ next: Input)

  /// The statistic of the inputs so far; mutating at most in form.
  var value: Value { mutating get }
}

extension RollingKernel {
  /// What `update` would make of the value; the kernel stays as it is.
  ///
  /// Mutating only in form: a large value that is merely borrowed may be copied more than once.
  /// - Complexity: that of `update` and of a copy of the kernel.
  @inlinable public mutating func peek(_ next: Input) -> Value {
    var copy = self
    copy.update(next)
    return copy.value
  }

  /// The whole state, for `restore`.
  @inlinable public mutating func snapshot() -> Self { self }

  /// Goes back to a snapshot: the same inputs from there on give the same values, bit for bit.
  @inlinable public mutating func restore(_ snapshot: Self) { self = snapshot }
}
