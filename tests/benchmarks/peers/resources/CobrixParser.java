import java.io.BufferedInputStream;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import scala.Function1;
import scala.collection.Seq;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;
import za.co.absa.cobrix.cobol.parser.Copybook;
import za.co.absa.cobrix.cobol.parser.CopybookParser$;
import za.co.absa.cobrix.cobol.parser.ast.Group;
import za.co.absa.cobrix.cobol.reader.extractors.record.RecordExtractors;
import za.co.absa.cobrix.cobol.reader.extractors.record.RecordHandler;

/**
 * Cobrix's own decoder, without Spark: every record of a file to an array of Java objects, which is what Spark would be
 * given. Arguments: copybook, data, record length, threads, warm-up passes, timed passes, file for the values.
 */
public final class CobrixParser {
    /** Kept so that the compiler cannot drop the work. */
    static volatile Object last;

    private static final ClassTag<Object[]> TAG = ClassTag$.MODULE$.apply(Object[].class);

    private CobrixParser() {}

    static final class Rows implements RecordHandler<Object[]> {
        @Override
        public Object[] create(Object[] values, Group group) {
            return values;
        }

        @Override
        public Seq<Object> toSeq(Object[] row) {
            return scala.Predef$.MODULE$.wrapRefArray(row);
        }

        @Override
        public void foreach(Object[] row, Function1<Object, BoxedUnit> action) {
            for (Object value : row) {
                action.apply(value);
            }
        }
    }

    static Copybook copybook(String file) throws IOException {
        CopybookParser$ parser = CopybookParser$.MODULE$;
        return parser.parseTree(
                Files.readString(Path.of(file)),
                parser.parseTree$default$2(), parser.parseTree$default$3(), parser.parseTree$default$4(),
                parser.parseTree$default$5(), parser.parseTree$default$6(), parser.parseTree$default$7(),
                parser.parseTree$default$8(), parser.parseTree$default$9(), parser.parseTree$default$10(),
                parser.parseTree$default$11(), parser.parseTree$default$12(), parser.parseTree$default$13(),
                parser.parseTree$default$14(), parser.parseTree$default$15(), parser.parseTree$default$16(),
                parser.parseTree$default$17(), parser.parseTree$default$18(), parser.parseTree$default$19(),
                parser.parseTree$default$20(), parser.parseTree$default$21());
    }

    static Object[] row(Group ast, byte[] record, RecordHandler<Object[]> handler) {
        Seq<Object> found = RecordExtractors.extractRecord(
                ast, record,
                RecordExtractors.extractRecord$default$3(), RecordExtractors.extractRecord$default$4(),
                RecordExtractors.extractRecord$default$5(), RecordExtractors.extractRecord$default$6(),
                RecordExtractors.extractRecord$default$7(), RecordExtractors.extractRecord$default$8(),
                RecordExtractors.extractRecord$default$9(), RecordExtractors.extractRecord$default$10(),
                RecordExtractors.extractRecord$default$11(), RecordExtractors.extractRecord$default$12(),
                RecordExtractors.extractRecord$default$13(), RecordExtractors.extractRecord$default$14(),
                RecordExtractors.extractRecord$default$15(), handler,
                RecordExtractors.extractRecord$default$17(), TAG);
        // The record is one root group; its children are the columns.
        return (Object[]) found.apply(0);
    }

    private static long decode(Group ast, String file, int length, long first, long stop) throws IOException {
        Rows handler = new Rows();
        long count = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(Path.of(file)), 1 << 20)) {
            in.skipNBytes(first * length);
            for (long record = first; record < stop; record++) {
                Object[] row = row(ast, in.readNBytes(length), handler);
                last = row;
                count += row.length;
            }
        }
        return count;
    }

    static String written(Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof scala.math.BigDecimal) {
            return ((scala.math.BigDecimal) value).bigDecimal().toPlainString();
        }
        return value instanceof BigDecimal ? ((BigDecimal) value).toPlainString() : value.toString();
    }

    private static void write(Group ast, String file, int length, long records, String out) throws IOException {
        Rows handler = new Rows();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(Path.of(file)), 1 << 20);
                BufferedWriter writer = Files.newBufferedWriter(Path.of(out), StandardCharsets.UTF_8)) {
            for (long record = 0; record < records; record++) {
                List<String> cells = new ArrayList<>();
                for (Object value : row(ast, in.readNBytes(length), handler)) {
                    cells.add(written(value));
                }
                writer.write(String.join("\t", cells));
                writer.write('\n');
            }
        }
    }

    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    public static void main(String[] arguments) throws Exception {
        String file = arguments[1];
        int length = Integer.parseInt(arguments[2]);
        int threads = Integer.parseInt(arguments[3]);
        int warm = Integer.parseInt(arguments[4]);
        int timed = Integer.parseInt(arguments[5]);
        Group ast = copybook(arguments[0]).ast();
        long records = Files.size(Path.of(file)) / length;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        StringBuilder seconds = new StringBuilder();
        long cpu = 0;
        for (int pass = 0; pass < warm + timed; pass++) {
            if (pass == warm) {
                cpu = cpu();
            }
            long start = System.nanoTime();
            List<Future<Long>> parts = new ArrayList<>();
            for (int part = 0; part < threads; part++) {
                long first = records * part / threads;
                long stop = records * (part + 1) / threads;
                parts.add(pool.submit(() -> decode(ast, file, length, first, stop)));
            }
            for (Future<Long> part : parts) {
                part.get();
            }
            double taken = (System.nanoTime() - start) / 1e9;
            if (pass >= warm) {
                seconds.append(seconds.length() == 0 ? "" : ", ").append(taken);
            }
        }
        cpu = cpu() - cpu;
        pool.shutdown();
        if (arguments.length > 6) {
            write(ast, file, length, records, arguments[6]);
        }
        new PrintStream(System.out, true, StandardCharsets.UTF_8)
                .println("{\"seconds\": [" + seconds + "], \"cpu\": " + cpu / 1e9 + "}");
    }
}
