import java.io.BufferedWriter;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import za.co.absa.cobrix.cobol.parser.ast.Group;

/**
 * Cobrix in Spark, every column to the noop sink. Arguments: source (`spark-cobol`: the data source of that name;
 * `parser`: Cobrix's decoder on Spark's binaryRecords, for where the data source is not to be had), copybook, data,
 * record length, master, warm-up passes, timed passes, file for the values.
 */
public final class CobrixSpark {
    private CobrixSpark() {}

    private static StructType schema(Object[] sample) {
        List<StructField> fields = new ArrayList<>();
        for (int index = 0; index < sample.length; index++) {
            fields.add(DataTypes.createStructField("c" + index, type(sample[index]), true));
        }
        return DataTypes.createStructType(fields);
    }

    private static DataType type(Object value) {
        if (value instanceof Integer) {
            return DataTypes.IntegerType;
        }
        if (value instanceof Long) {
            return DataTypes.LongType;
        }
        if (value instanceof scala.math.BigDecimal) {
            return DataTypes.createDecimalType(18, ((scala.math.BigDecimal) value).scale());
        }
        return DataTypes.StringType;
    }

    private static Iterator<Row> rows(String copybook, Iterator<byte[]> records) throws Exception {
        Group ast = CobrixParser.copybook(copybook).ast();
        CobrixParser.Rows handler = new CobrixParser.Rows();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return records.hasNext();
            }

            @Override
            public Row next() {
                return RowFactory.create(CobrixParser.row(ast, records.next(), handler));
            }
        };
    }

    private static Dataset<Row> read(SparkSession spark, String source, String copybook, String data, int length)
            throws Exception {
        if (source.equals("spark-cobol")) {
            return spark.read().format("cobol")
                    .option("copybook", Path.of(copybook).toUri().toString())
                    .option("record_format", "F")
                    .option("schema_retention_policy", "collapse_root")
                    .load(Path.of(data).toUri().toString());
        }
        JavaRDD<byte[]> records = new JavaSparkContext(spark.sparkContext()).binaryRecords(data, length);
        StructType schema = schema(CobrixParser.row(
                CobrixParser.copybook(copybook).ast(), records.first(), new CobrixParser.Rows()));
        return spark.createDataFrame(records.mapPartitions(part -> rows(copybook, part)), schema);
    }

    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    public static void main(String[] arguments) throws Exception {
        int length = Integer.parseInt(arguments[3]);
        int warm = Integer.parseInt(arguments[5]);
        int timed = Integer.parseInt(arguments[6]);
        long half = (Files.size(Path.of(arguments[2])) / length + 1) / 2 * length;
        SparkSession spark = SparkSession.builder()
                .master(arguments[4])
                .appName("peers")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.host", "localhost")
                .config("spark.driver.bindAddress", "localhost")
                // Two tasks of one size: Spark's own choice would be 32 MB and the rest, and more tasks cost it more.
                .config("spark.hadoop.mapreduce.input.fileinputformat.split.maxsize", Long.toString(half))
                .getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
        StringBuilder seconds = new StringBuilder();
        long cpu = 0;
        for (int pass = 0; pass < warm + timed; pass++) {
            if (pass == warm) {
                cpu = cpu();
            }
            long start = System.nanoTime();
            // Reading the copybook is part of a pass, as it is of ours.
            read(spark, arguments[0], arguments[1], arguments[2], length).write().format("noop").mode("overwrite").save();
            double taken = (System.nanoTime() - start) / 1e9;
            if (pass >= warm) {
                seconds.append(seconds.length() == 0 ? "" : ", ").append(taken);
            }
        }
        cpu = cpu() - cpu;
        if (arguments.length > 7) {
            try (BufferedWriter writer = Files.newBufferedWriter(Path.of(arguments[7]), StandardCharsets.UTF_8)) {
                Iterator<Row> rows = read(spark, arguments[0], arguments[1], arguments[2], length).toLocalIterator();
                while (rows.hasNext()) {
                    Row row = rows.next();
                    List<String> cells = new ArrayList<>();
                    for (int index = 0; index < row.length(); index++) {
                        cells.add(CobrixParser.written(row.get(index)));
                    }
                    writer.write(String.join("\t", cells));
                    writer.write('\n');
                }
            }
        }
        new PrintStream(System.out, true, StandardCharsets.UTF_8)
                .println("{\"seconds\": [" + seconds + "], \"cpu\": " + cpu / 1e9 + "}");
        spark.stop();
    }
}
