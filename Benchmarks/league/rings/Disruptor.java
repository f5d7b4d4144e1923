// The LMAX disruptor in the ring league: one process measures one workload `repetitions` times after a warm-up.
import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.concurrent.CountDownLatch;

public final class Disruptor {
  static final class Event {
    long value;
  }

  static final class Sum implements EventHandler<Event> {
    final CountDownLatch done = new CountDownLatch(1);
    final long last;
    long sum;

    Sum(long last) {
      this.last = last;
    }

    @Override
    public void onEvent(Event event, long sequence, boolean endOfBatch) {
      sum += event.value;
      if (sequence == last) done.countDown();
    }
  }

  /** Millions of events a second through one producer and `consumers` consumers. */
  static double run(int consumers, boolean chain, long count, int batch) throws Exception {
    RingBuffer<Event> ring = RingBuffer.createSingleProducer(Event::new, 65_536, new YieldingWaitStrategy());
    Sum[] sums = new Sum[consumers];
    BatchEventProcessor<?>[] processors = new BatchEventProcessor<?>[consumers];
    Thread[] threads = new Thread[consumers];
    Sequence[] gates = new Sequence[consumers];
    for (int number = 0; number < consumers; number++) {
      SequenceBarrier barrier = chain && number > 0 ? ring.newBarrier(gates[number - 1]) : ring.newBarrier();
      sums[number] = new Sum(count - 1);
      BatchEventProcessor<Event> processor = new BatchEventProcessor<>(ring, barrier, sums[number]);
      processors[number] = processor;
      gates[number] = processor.getSequence();
      threads[number] = new Thread(processor);
    }
    ring.addGatingSequences(gates);
    for (Thread thread : threads) thread.start();
    long start = System.nanoTime();
    if (batch == 1) {
      for (long number = 0; number < count; number++) {
        long sequence = ring.next();
        ring.get(sequence).value = number;
        ring.publish(sequence);
      }
    } else {
      for (long number = 0; number < count; number += batch) {
        long high = ring.next(batch);
        long low = high - batch + 1;
        for (long sequence = low; sequence <= high; sequence++) ring.get(sequence).value = number + sequence - low;
        ring.publish(low, high);
      }
    }
    for (Sum sum : sums) sum.done.await();
    long nanoseconds = System.nanoTime() - start;
    for (int number = 0; number < consumers; number++) {
      processors[number].halt();
      threads[number].join();
      if (sums[number].sum != count * (count - 1) / 2) throw new IllegalStateException("a consumer missed an event");
    }
    return count * 1e3 / nanoseconds;
  }

  public static void main(String[] arguments) throws Exception {
    String workload = arguments[0];
    double effort = arguments.length > 1 ? Double.parseDouble(arguments[1]) : 1;
    int consumers = workload.equals("bus.single") ? 1 : 3;
    boolean chain = workload.equals("bus.chain3");
    long count = (long) (10e6 * effort) / 64 * 64 + 64;
    for (int batch : new int[] {1, 32}) {
      // The compiler of the virtual machine needs a few runs; the measured one is the best of three after them.
      double best = 0;
      for (int repetition = 0; repetition < 5; repetition++) {
        double rate = run(consumers, chain, count, batch);
        if (repetition > 1) best = Math.max(best, rate);
      }
      System.out.printf("%s disruptor%s %.2f%n", workload, batch == 1 ? "" : ".batch32", best);
    }
  }
}
