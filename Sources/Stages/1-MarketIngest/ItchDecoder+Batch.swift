public import TradingTypes

extension ItchDecoder {
  /// Decodes the next messages of `frames` into `events`, until that is full or there are none; how many events there are now.
  ///
  /// - Parameters:
  ///   - sequence: number of the message before the first; afterwards that of the last one looked at, refused ones included.
  /// - Complexity: O(1) a message, no allocation.
  public mutating func decode(
    _ frames: inout ItchFrames, into events: inout MutableSpan<MarketEvent>, sequence: inout UInt64
  ) -> Int {
    var filled = 0
    // Wrapping: a count of messages does not reach 2^64, that of events not that of places.
    while filled < events.count, let message = frames.next() {
      sequence &+= 1
      let refusal = decode(message, sequence: sequence, into: &events[filled])
      filled &+= refusal == nil ? 1 : 0
    }
    return filled
  }
}
