internal import CNet
internal import Synchronization

/// Stops a receiver from any thread, also one that sleeps in the kernel.
public final class ReceiverStop: Sendable {
  /// Becomes readable when stopped, for those who sleep.
  let event: Int32
  private let isSet = Atomic<Bool>(false)

  init() throws(NetworkError) {
    event = martlet_net_event()
    if event < 0 { throw NetworkError("eventfd", "the stop of a receiver", -event) }
  }

  deinit { martlet_net_close(event) }

  /// Has the receiver's present and every later `receive` end with `.stopped`.
  public func stop() {
    // Release, paired with the acquire below: what the stopping thread wrote before is seen by the receiver.
    isSet.store(true, ordering: .releasing)
    martlet_net_signal(event)
  }

  /// Whether it was stopped.
  public var isStopped: Bool {
    // Acquire, paired with the release in `stop`.
    isSet.load(ordering: .acquiring)
  }
}
