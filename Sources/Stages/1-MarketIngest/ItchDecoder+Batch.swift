public import TradingTypes

extension ItchDecoder {
  /// Decodes the next messages of `frames` into `events`, until that is full or there are none; how many events there are now.
  ///
  /// - Parameters:
  ///   - sequence: number of the message before the first; afterwards that of the last one looked at, refused ones included.
  /// - Complexity: O(1) a message, no allocation. Faster than a call a message: what the loop needs stays in registers.
  public mutating func decode(
    _ frames: inout ItchFrames, into events: inout MutableSpan<MarketEvent>, sequence: inout UInt64
  ) -> Int {
    // Local: where the next message begins depends on this one's length, and a detour through memory would be half of the time.
    var rest = frames
    var number = sequence
    var filled = 0
    // Wrapping: a count of messages does not reach 2^64, that of events not that of places.
    while filled < events.count, let message = rest.next() {
      number &+= 1
      let refusal = decode(message, sequence: number, into: &events[filled])
      filled &+= refusal == nil ? 1 : 0
    }
    frames = rest
    sequence = number
    return filled
  }
}
