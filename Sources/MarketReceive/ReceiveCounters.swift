/// What a receiver saw.
@frozen public struct ReceiveCounters: BitwiseCopyable, Hashable, Sendable {
  /// Datagrams handed to the caller.
  public var packets: UInt64 = 0
  /// Bytes of them, as kept.
  public var bytes: UInt64 = 0
  /// Batches they came in.
  public var batches: UInt64 = 0
  /// Datagrams longer than what is kept.
  public var truncated: UInt64 = 0
  /// Datagrams without a kernel time stamp.
  public var unstamped: UInt64 = 0
  /// Datagrams the socket dropped for want of room, as far as known: from the last datagram that said so, or `refreshDrops`.
  public var kernelDrops: UInt64 = 0
  /// Times all buffers were in use: later datagrams waited in the socket until some were given back.
  public var buffersExhausted: UInt64 = 0
  /// Times the thread slept in the kernel.
  public var sleeps: UInt64 = 0

  /// Nothing seen.
  public init() {}
}
